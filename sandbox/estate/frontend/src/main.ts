/** Start the portal: `npm start`. */

import { portal } from "./server.ts";

const port = Number(process.env["PORT"] ?? "3000");
const host = process.env["HOST"] ?? "127.0.0.1";

portal(process.env["API_URL"] ?? "http://127.0.0.1:8010").listen(port, host, () => {
  console.log(`portal: listening on http://${host}:${port}`);
});
