"""The style sheet of the emulated Jira's pages; in the page, since the emulator serves no files."""

STYLE = """
:root { --ink: #172b4d; --quiet: #5e6c84; --line: #dfe1e6; --paper: #f7f8f9; --blue: #0c66e4; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); font: 14px/1.55 system-ui, sans-serif; }
a { color: var(--blue); text-decoration: none; } a:hover { text-decoration: underline; }
.top { display: flex; align-items: center; gap: .75rem; padding: .6rem 2rem; border-bottom: 1px solid var(--line); }
.top b { font-size: 1rem; } .top a { color: var(--ink); }
.top .note { margin-left: auto; color: var(--quiet); font-size: .8rem; }
.logo { width: 1.5rem; height: 1.5rem; border-radius: .3rem; background: var(--blue); color: #fff; font-weight: 700;
  text-align: center; line-height: 1.5rem; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 2rem 4rem; }
h1 { margin: .25rem 0 1rem; font-size: 1.5rem; line-height: 1.25; font-weight: 600; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; font-weight: 600; } h2:first-child { margin-top: 0; }
.crumbs { color: var(--quiet); }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) 20rem; gap: 2.5rem; align-items: start; }
.lozenge { display: inline-block; padding: .05rem .45rem; border-radius: .2rem; font-size: .72rem; font-weight: 700;
  letter-spacing: .03em; text-transform: uppercase; white-space: nowrap; }
.new { background: #dfe1e6; color: #42526e; } .indeterminate { background: #cce0ff; color: #0055cc; }
.done { background: #baf3db; color: #216e4e; }
.label { display: inline-block; margin: 0 .25rem .25rem 0; padding: .05rem .45rem; border-radius: .2rem;
  background: #f1f2f4; overflow-wrap: anywhere; }
.card { padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .5rem; }
.card dl { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: .6rem .75rem; margin: 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
.avatar { display: inline-block; width: 1.5rem; height: 1.5rem; margin-right: .4rem; border-radius: 50%; color: #fff;
  font-size: .65rem; font-weight: 700; line-height: 1.5rem; text-align: center; vertical-align: middle; }
.text { overflow-wrap: anywhere; } .text p { margin: .4rem 0; } .text h3 { margin: 1rem 0 .3rem; font-size: .95rem; }
.text pre { padding: .75rem 1rem; border-radius: .3rem; background: var(--paper); overflow-x: auto; }
.text code { padding: .1rem .25rem; border-radius: .2rem; background: #f1f2f4;
  font: 12.5px/1.5 ui-monospace, monospace; }
.text pre code { padding: 0; background: none; }
.text blockquote { margin: .5rem 0; padding: .1rem 1rem; border-left: 3px solid var(--line); color: #44546f; }
.text table { border-collapse: collapse; } .text th, .text td { padding: .3rem .7rem; border: 1px solid var(--line); }
.text .thumbnail { max-width: 48%; max-height: 14rem; border: 1px solid var(--line); border-radius: .3rem;
  vertical-align: top; }
.mention { padding: 0 .25rem; border-radius: .7rem; background: #e9f2ff; color: #0055cc; }
.comment { display: grid; grid-template-columns: 2rem minmax(0, 1fr); gap: .5rem; padding: .75rem 0;
  border-top: 1px solid var(--line); }
.comment:first-of-type { border-top: 0; }
.who { color: var(--quiet); } .who b { color: var(--ink); }
.links, .history { margin: 0; padding: 0; list-style: none; }
.links li, .history li { padding: .45rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
.links li:first-child, .history li:first-child { border-top: 0; }
.history { color: var(--quiet); } .history b { color: var(--ink); font-weight: 600; }
.resolved a { text-decoration: line-through; }
.board { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .75rem; align-items: start; }
.lane { min-height: 14rem; padding: .6rem; border-radius: .5rem; background: var(--paper); }
.lane h2 { margin: .1rem .25rem .6rem; color: var(--quiet); font-size: .75rem; text-transform: uppercase; }
.ticket { display: block; margin-bottom: .5rem; padding: .75rem; border-radius: .4rem; background: #fff;
  color: var(--ink); box-shadow: 0 1px 2px #091e4240; overflow-wrap: anywhere; }
.ticket:hover { background: #fafbfc; text-decoration: none; }
.ticket .foot { display: flex; justify-content: space-between; margin-top: .6rem;
  color: var(--quiet); font-size: .8rem; }
.empty { color: var(--quiet); }
@media (max-width: 50rem) { .columns { grid-template-columns: minmax(0, 1fr); } main { padding: 1rem; } }
"""
