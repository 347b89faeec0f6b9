// oidc-provider's introspection (RFC 7662) on SQLite:
//
//   node oidc-provider.mjs seed STORE COUNT EVERY      `id value` of every EVERYth token
//   node oidc-provider.mjs serve STORE                 says `serving URL`
//
// Tokens of the client-credentials grant, which it looks up with one read; a client that stands in
// its configuration; an adapter with prepared statements. Uses are not noted: it knows of none.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Database from 'better-sqlite3';
import Provider from 'oidc-provider';

const [command, store, ...rest] = process.argv.slice(2);
const database = new Database(store);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = NORMAL');
database.exec(
  'create table if not exists models (model text, id text, payload text, primary key (model, id)) without rowid',
);
const upsert = database.prepare('insert or replace into models values (?, ?, ?)');
const find = database.prepare('select payload from models where model = ? and id = ?').pluck();
const destroy = database.prepare('delete from models where model = ? and id = ?');

class Adapter {
  constructor(model) {
    this.model = model;
  }
  async upsert(id, payload) {
    upsert.run(this.model, id, JSON.stringify(payload));
  }
  async find(id) {
    const payload = find.get(this.model, id);
    return payload && JSON.parse(payload);
  }
  async destroy(id) {
    destroy.run(this.model, id);
  }
}

if (command === 'seed') {
  const [count, every] = rest.map(Number);
  const now = Math.floor(Date.now() / 1000);
  const lines = [];
  database.transaction(() => {
    for (let n = 0; n < count; n += 1) {
      const jti = randomBytes(32).toString('base64url');
      const kind = 'ClientCredentials';
      const token = { iat: now, exp: now + 90 * 24 * 3600, jti, kind, clientId: 'bench', scope: 'notes', extra: {} };
      upsert.run(kind, jti, JSON.stringify(token));
      if (n % every === 0) lines.push(`${jti} ${jti}\n`);
    }
  })();
  process.stdout.write(lines.join(''));
} else {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider('http://127.0.0.1', {
    adapter: Adapter,
    clients: [
      {
        client_id: 'bench',
        client_secret: 'bench',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['notes'],
    cookies: { keys: [randomBytes(32).toString('hex')] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: async () => true },
    },
    routes: { introspection: '/v1/introspect' },
  });
  const server = provider.listen(0, '127.0.0.1', () =>
    console.error(`serving http://127.0.0.1:${server.address().port}`),
  );
}
