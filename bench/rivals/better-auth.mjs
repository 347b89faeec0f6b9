// better-auth with its API-key plugin on SQLite, behind the routes that Keywright has for the same:
//
//   node better-auth.mjs seed STORE COUNT EVERY      `id value` of every EVERYth key
//   node better-auth.mjs serve STORE SYNCHRONOUS     says `serving URL`
//
// As fast as its documentation knows how to make it: no rate limits, uses noted after the answer
// (`deferUpdates`), the session that revokes in a signed cookie, WAL. A key is asked for a permission,
// as Keywright is asked for a scope. Creation asks for no proof at all.

import { createServer } from 'node:http';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import Database from 'better-sqlite3';

const [command, store, ...rest] = process.argv.slice(2);
const person = { email: 'bench@example.com', password: 'only for a measurement', name: 'bench' };
const permissions = { notes: ['read', 'write'] };
const life = 90 * 24 * 3600;

const database = new Database(store);
database.pragma('journal_mode = WAL');
database.pragma('busy_timeout = 5000');
const options = {
  database,
  baseURL: 'http://127.0.0.1',
  secret: randomBytes(32).toString('hex'),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  session: { cookieCache: { enabled: true, maxAge: 3600 } },
  logger: { level: 'error' },
  telemetry: { enabled: false },
  plugins: [apiKey({ rateLimit: { enabled: false }, deferUpdates: true })],
};

if (command === 'seed') {
  database.pragma('synchronous = OFF');
  await (await getMigrations(options)).runMigrations();
  const auth = betterAuth(options);
  const { user } = await auth.api.signUpEmail({ body: person });
  const made = await auth.api.createApiKey({
    body: { userId: user.id, name: 'agent', permissions, expiresIn: life },
  });
  const like = database.prepare('select * from apikey where id = ?').get(made.id);
  const columns = Object.keys(like);
  const insert = database.prepare(
    `insert into apikey (${columns.map((name) => `"${name}"`)}) values (${columns.map((name) => `@${name}`)})`,
  );
  const [count, every] = rest.map(Number);
  const lines = [];
  database.transaction(() => {
    for (let n = 0; n < count; n += 1) {
      const id = randomUUID();
      const value = randomBytes(48).toString('base64url');
      const key = createHash('sha256').update(value).digest('base64url');
      insert.run({ ...like, id, key, start: value.slice(0, 6) });
      if (n % every === 0) lines.push(`${id} ${value}\n`);
    }
  })();
  process.stdout.write(lines.join(''));
} else {
  database.pragma(`synchronous = ${rest[0]}`);
  const auth = betterAuth(options);
  const { headers } = await auth.api.signInEmail({ body: person, returnHeaders: true });
  const cookie = headers.getSetCookie().map((set) => set.split(';')[0]).join('; ');
  const signedIn = new Headers({ cookie });
  const userId = database.prepare('select id from user').get().id;

  const answer = async (request) => {
    if (request.method === 'GET') {
      const key = request.headers.authorization.slice('Bearer '.length);
      const asked = await auth.api.verifyApiKey({ body: { key, permissions: { notes: ['read'] } } });
      return [asked.valid ? 200 : 401, ''];
    }
    if (request.method === 'POST') {
      const made = await auth.api.createApiKey({
        body: { userId, name: 'agent', permissions, expiresIn: life },
      });
      return [201, JSON.stringify(made)];
    }
    const keyId = request.url.slice(request.url.lastIndexOf('/') + 1);
    return [200, JSON.stringify(await auth.api.deleteApiKey({ body: { keyId }, headers: signedIn }))];
  };
  const server = createServer((request, response) => {
    request.resume();
    answer(request).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(body),
      (error) => {
        console.error(error);
        response.writeHead(500).end();
      },
    );
  });
  server.listen(0, '127.0.0.1', () => console.error(`serving http://127.0.0.1:${server.address().port}`));
}
