import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { connectDatabase } from '#store';
import { createTestDatabase } from '#testing';
import { describeSchema } from './describe-schema.ts';

const FILE = join(import.meta.dirname, 'schema.sql');
const HEADER = `-- What the migrations add up to, for readers; made from the catalog of a migrated database.
-- After a new migration: SLUICE_WRITE_SCHEMA=1 npm test -- libs/store/schema
`;

test('schema.sql is what the migrations make', async () => {
  const database = await createTestDatabase();
  const db = await connectDatabase(database.url, { connections: 1 });
  try {
    const schema = `${HEADER}\n${await describeSchema(db)}\n`;
    if (process.env.SLUICE_WRITE_SCHEMA) writeFileSync(FILE, schema);
    expect(readFileSync(FILE, 'utf8')).toBe(schema);
  } finally {
    await db.destroy();
    await database.drop();
  }
});
