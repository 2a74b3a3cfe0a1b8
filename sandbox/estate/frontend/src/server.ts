/** Sockets: Node's own HTTP server. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Api } from "./api.ts";
import { message } from "./pages.ts";
import { type Answer, Routes } from "./routes.ts";

const LARGEST_BODY = 64 * 1024;

/** A server that shows what the API at this address knows. It does not listen yet. */
export function portal(apiUrl: string): Server {
  const routes = new Routes(new Api(apiUrl));
  return createServer((request, response) => {
    void serve(routes, request, response);
  });
}

async function serve(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let answer: Answer;
  try {
    const url = new URL(request.url ?? "/", "http://portal");
    const form = new URLSearchParams(await body(request));
    answer = await routes.answer({ method: request.method ?? "GET", url, form });
  } catch (error) {
    console.error(`portal: ${request.method ?? ""} ${request.url ?? ""} failed`, error);
    answer = { status: 500, body: message("Sorry", "We could not do that. Please tell the help desk.") };
  }
  response.statusCode = answer.status;
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  if (answer.location !== undefined) response.setHeader("Location", answer.location);
  response.end(answer.body);
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new Error("The form is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
