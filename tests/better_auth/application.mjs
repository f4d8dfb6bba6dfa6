// An application with the real Better Auth: a line of JSON in is something to do, a line out is what
// came of it. Google's token endpoint is the twin's; everything else is the package's own.
import { createInterface } from "node:readline";

const setup = JSON.parse(process.env.SETUP);
const fetched = globalThis.fetch;
globalThis.fetch = (address, ...more) => {
  const there = address instanceof Request ? address.url : String(address);
  if (there !== "https://oauth2.googleapis.com/token") throw new Error(`nobody asked for ${there}`);
  return fetched(`${setup.google}/token`, ...more);
};

const { betterAuth } = await import("better-auth");
const { symmetricEncrypt } = await import("better-auth/crypto");
const { getMigrations } = await import("better-auth/db/migration");
const { default: pg } = await import("pg");

const auth = betterAuth({
  baseURL: "http://localhost:3000",
  database: new pg.Pool({ connectionString: setup.database }),
  logger: { disabled: true },
  telemetry: { enabled: false },
  secret: setup.secret,
  secrets: setup.secrets,
  account: { encryptOAuthTokens: setup.encrypt },
  socialProviders: { google: { clientId: setup.client, clientSecret: setup.clientSecret } },
});
const context = await auth.$context;
const kept = (token) =>
  setup.encrypt ? symmetricEncrypt({ key: context.secretConfig, data: token }) : token;

const doing = {
  migrate: async () => (await getMigrations(auth.options)).runMigrations(),
  signIn: async ({ user, access, refresh, scope, seconds }) => {
    const made = await context.internalAdapter.createUser({
      name: user, email: `${user}@example.com`, emailVerified: true,
    });
    const account = await context.internalAdapter.createAccount({
      userId: made.id, providerId: "google", accountId: `10${user}`, scope,
      accessToken: await kept(access), refreshToken: await kept(refresh),
      accessTokenExpiresAt: new Date(Date.now() + seconds * 1000),
    });
    return { user: made.id, account: account.id };
  },
  refresh: ({ user, account }) =>
    auth.api.refreshToken({ body: { accountId: account, userId: user } }),
  token: ({ user, account }) =>
    auth.api.getAccessToken({ body: { accountId: account, userId: user } }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { what, ...more } = JSON.parse(line);
  let said;
  try {
    said = { done: (await doing[what](more)) ?? null };
  } catch (error) {
    said = { failed: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
process.exit(0);
