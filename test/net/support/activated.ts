import { ActivatedSockets, parseActivation } from '../../../src/net/activation.js';
import { startListener } from './listening.js';

/* A process that listens on all sockets that it was passed, prints their addresses, and ends with its stdin. */

const sockets = parseActivation(process.env, process.pid);
const activated = new ActivatedSockets(sockets);
const listeners = [];
for (const { name } of sockets) listeners.push(await startListener({ address: { systemd: name } }, { activated }));
const told = listeners.map(({ listener: { addresses, localOnly } }) => ({ addresses, localOnly }));
process.stdout.write(`${JSON.stringify(told)}\n`);
process.stdin.resume().on('end', () => process.exit());
