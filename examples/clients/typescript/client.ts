/* A client of a kloset-gateway: lists, reads a range, writes, and is refused a delete. Run it with the gateway's address. */
import { randomBytes } from 'node:crypto';
import { GatewayClient, hasCode, macFromBytes } from 'kloset-gateway/client';

const client = new GatewayClient({ address: process.argv[2] ?? 'localhost:9878' });

const packfiles = [];
for await (const batch of client.list('packfile')) packfiles.push(...batch);
process.stdout.write(`listed ${packfiles.length} packfiles\n`);

const [mac] = packfiles;
if (mac === undefined) throw new Error('there is nothing to read');
const bytes = Buffer.from(await client.read({ kind: 'packfile', mac }, { offset: 0, length: 16 }));
process.stdout.write(`read ${bytes.length} bytes: ${bytes.toString('latin1', 0, 8)}\n`);

const ref = { kind: 'packfile', mac: macFromBytes(randomBytes(32)) } as const;
const whole = await client.read({ kind: 'packfile', mac });
const { created } = await client.put(ref, whole);
process.stdout.write(`wrote ${whole.length} bytes, created: ${created}\n`);

try {
  await client.delete(ref);
  process.exitCode = 1;
} catch (error) {
  if (!hasCode(error, 'permission_denied')) throw error;
  process.stdout.write(`refused: ${(error as Error).message}\n`);
}
client.close();
