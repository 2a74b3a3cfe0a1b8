/** The one style sheet. */
export const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2733; margin: 0; background: #f5f6f8 }
header { background: #23527c; color: #fff; padding: .8rem 1.5rem }
header a { color: #fff; text-decoration: none; margin-right: 1.5rem }
main { max-width: 52rem; margin: 1.5rem auto; background: #fff; padding: 1rem 1.5rem 2rem; border-radius: 6px }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #dde2e8 }
.amount { text-align: right; font-variant-numeric: tabular-nums }
.overdue { color: #a4262c; font-weight: 600 }
.notice { background: #fdf3d8; padding: .5rem .8rem; border-radius: 4px }
label { display: block; margin-top: .6rem }
button { margin-top: 1rem; padding: .4rem 1.2rem }
@media print { header, form { display: none } main { margin: 0 } }
`;
