// Whose session an access token stands for.

import { createRemoteJWKSet, errors, jwtVerify } from "jose";

import type { Settings } from "./settings.ts";

/** The only algorithms taken, whatever a token says of itself. */
const ALGORITHMS = ["EdDSA"];
/** The service lets its keys be kept for so long. */
const KEYS_KEPT_MS = 300_000;
/** Tokens of unknown keys make us ask for the keys at most this often. */
const COOL_DOWN_MS = 10_000;
/** Time for an answer of the service. */
const TIMEOUT_MS = 3_000;
/** Seconds by which clocks may differ. */
const LEEWAY_SECONDS = 10;

/** The token is not good. Why is nobody's business but the log's. */
export class InvalidToken extends Error {}

export function sessionsOf(settings: Settings) {
  const { jwksUrl, issuer, audience, apiKey } = settings;
  // Keeps the keys, and fetches them again for a key id that it does not know, unless it just did.
  const keys = createRemoteJWKSet(jwksUrl, {
    cacheMaxAge: KEYS_KEPT_MS,
    cooldownDuration: COOL_DOWN_MS,
    timeoutDuration: TIMEOUT_MS,
  });

  /**
   * The account of a token, verified here. A session that was ended is taken until its last token is over.
   * Throws InvalidToken; any other error means that the keys could not be had.
   */
  async function verify(token: string): Promise<string> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        issuer,
        audience,
        clockTolerance: LEEWAY_SECONDS,
        requiredClaims: ["exp", "sub"],
      });
      return payload.sub as string;
    } catch (error) {
      const keysAreMissing =
        !(error instanceof errors.JOSEError) ||
        error instanceof errors.JWKSTimeout ||
        error instanceof errors.JWKSInvalid ||
        error.code === errors.JOSEError.code;
      if (keysAreMissing) throw error;
      throw new InvalidToken(error.code);
    }
  }

  /** Asks the service whether the session behind a verified token is alive at this moment (RFC 7662). Throws as verify. */
  async function confirm(token: string): Promise<void> {
    if (!apiKey) throw new Error("API_KEY is not set");
    const answer = await fetch(`${issuer}/oauth/introspect`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}` },
      body: new URLSearchParams({ token }),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status !== 200) throw new Error(`introspection answered ${answer.status}`);
    const { active } = (await answer.json()) as { active?: unknown };
    if (active !== true) throw new InvalidToken("not active");
  }

  return { verify, confirm };
}
