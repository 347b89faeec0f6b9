// Three tools for tokens, written with the official TypeScript SDK on SQLite; mcp_tokens.py is the same in
// Python:
//
//   node mcp_tokens.mjs STORE              serves over standard input and output
//   node mcp_tokens.mjs STORE seed COUNT   makes a store of so many tokens
//
// What someone would write for themselves: the value is hashed, the write is durable, the answer is
// structured. Nobody is authenticated, and nothing is audited.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import Database from 'better-sqlite3';
import { z } from 'zod';

const [store, command, count] = process.argv.slice(2);
const database = new Database(store);
database.pragma('busy_timeout = 5000');
database.pragma('journal_mode = WAL');
database.pragma(`synchronous = ${command === 'seed' ? 'OFF' : 'FULL'}`);
database.exec(`create table if not exists tokens (
  number integer primary key, id text not null unique, hash blob not null unique, label text not null,
  prefix text not null, scopes text not null, created_at text not null, last_used_at text,
  expires_at text, revoked_at text)`);
const insert = database.prepare(
  `insert into tokens (id, hash, label, prefix, scopes, created_at, expires_at)
   values (@id, @hash, @label, @prefix, @scopes, @created_at, @expires_at)`,
);
const page = database.prepare(
  `select number, id, label, prefix, scopes, created_at, last_used_at, expires_at from tokens
   where revoked_at is null and number < ? order by number desc limit ?`,
);
const revoke = database.prepare('update tokens set revoked_at = ? where id = ? and revoked_at is null');

const record = z.object({
  id: z.string(),
  label: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  state: z.enum(['active', 'expired', 'revoked']),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  expires_at: z.string().nullable(),
});

function create(label, scopes) {
  const value = `ts_pat_${randomBytes(32).toString('base64url')}`;
  const row = {
    id: randomUUID(),
    hash: createHash('sha256').update(value).digest(),
    label,
    prefix: value.slice(0, 11),
    scopes: scopes.join(' '),
    created_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + 90 * 24 * 3600 * 1000).toISOString(),
  };
  insert.run(row);
  const { hash, ...shown } = row;
  return { ...shown, scopes, state: 'active', last_used_at: null, token: value };
}

const answer = (structuredContent) => ({
  structuredContent,
  content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
});

if (command === 'seed') {
  database.transaction(() => {
    for (let n = 0; n < Number(count); n += 1) create(`agent ${n}`, ['read:notes', 'write:notes']);
  })();
} else {
  const server = new McpServer({ name: 'tokens', version: '1.0.0' });
  server.registerTool(
    'create_token',
    {
      description: 'Makes a token.',
      inputSchema: z.object({ label: z.string().min(1).max(200), scopes: z.array(z.string()).default([]) }),
      outputSchema: record.extend({ token: z.string() }),
    },
    async ({ label, scopes }) => answer(create(label, scopes)),
  );
  server.registerTool(
    'list_tokens',
    {
      description: 'Lists tokens, newest first.',
      inputSchema: z.object({ limit: z.number().int().min(1).max(200).default(50), cursor: z.string().optional() }),
      outputSchema: z.object({ tokens: z.array(record), next_cursor: z.string().nullable() }),
    },
    async ({ limit, cursor }) => {
      const rows = page.all(Number(cursor ?? Number.MAX_SAFE_INTEGER), limit);
      const now = new Date().toISOString();
      const tokens = rows.map(({ number, scopes, ...row }) => ({
        ...row,
        scopes: scopes.split(' '),
        state: row.expires_at !== null && row.expires_at <= now ? 'expired' : 'active',
      }));
      return answer({ tokens, next_cursor: rows.length === limit ? String(rows.at(-1).number) : null });
    },
  );
  server.registerTool(
    'delete_token',
    {
      description: 'Revokes a token.',
      inputSchema: z.object({ id: z.string() }),
      outputSchema: z.object({ id: z.string(), revoked_at: z.string() }),
    },
    async ({ id }) => {
      const revoked_at = new Date().toISOString();
      if (revoke.run(revoked_at, id).changes === 0) throw new Error('no such token');
      return answer({ id, revoked_at });
    },
  );
  await server.connect(new StdioServerTransport());
}
