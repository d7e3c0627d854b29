// A backend with one resource: `GET /me` answers whose session the bearer token stands for.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { InvalidToken, sessionsOf } from "./sessions.ts";
import { readSettings, type Settings } from "./settings.ts";

let settings: Settings;
try {
  settings = readSettings(process.env);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
const sessions = sessionsOf(settings);

createServer((request, response) => {
  me(request, response).catch((error: Error) => {
    // The service could not be asked. Nobody is let in on a guess, and nobody is sent to sign in again for it.
    console.error(error.message);
    answer(response, 503, { error: "temporarily_unavailable" });
  });
}).listen(settings.port, "127.0.0.1", () => console.log(`ready: http://127.0.0.1:${settings.port}/me`));

async function me(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (request.method !== "GET" || url.pathname !== "/me") return answer(response, 404, { error: "not_found" });
  const token = /^Bearer +([^ ]+)$/i.exec(request.headers.authorization ?? "")?.[1];
  // RFC 6750, section 3.1: no error code for who brings no token.
  if (!token) return answer(response, 401, { error: "unauthenticated" }, "Bearer");
  try {
    const account = await sessions.verify(token);
    if (url.searchParams.get("fresh") === "true") await sessions.confirm(token);
    answer(response, 200, { account });
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error;
    answer(response, 401, { error: "invalid_token" }, 'Bearer error="invalid_token"');
  }
}

function answer(response: ServerResponse, status: number, body: object, challenge?: string): void {
  if (challenge) response.setHeader("www-authenticate", challenge);
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}
