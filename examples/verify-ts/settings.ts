// What the backend is told from outside. Every problem is named at the start, none is guessed around.

export type Settings = {
  /** Where the service publishes its keys. */
  jwksUrl: URL;
  /** `iss` of its tokens: the service's public URL. */
  issuer: string;
  /** `aud` of the tokens for this backend: the app's id. */
  audience: string;
  /** Key with the scope `token:introspect`; without it nobody can be asked whether a session still lives. */
  apiKey: string | undefined;
  port: number;
};

export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const problems: string[] = [];
  const required = (name: string): string => {
    const value = environment[name];
    if (!value) problems.push(`${name} is missing`);
    return value ?? "";
  };
  const jwksUrl = required("JWKS_URL");
  const issuer = required("ISSUER");
  const audience = required("AUDIENCE");
  const port = Number(environment.PORT ?? 8789);
  if (jwksUrl && !URL.canParse(jwksUrl)) problems.push("JWKS_URL is no URL");
  if (!Number.isInteger(port) || port < 1 || port > 65535) problems.push("PORT is no port number");
  if (problems.length > 0) throw new Error(problems.join("; "));
  return { jwksUrl: new URL(jwksUrl), issuer, audience, apiKey: environment.API_KEY || undefined, port };
}
