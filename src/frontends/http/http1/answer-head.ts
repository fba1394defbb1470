import { STATUS_CODES } from 'node:http';
import { bytesType, type AnswerHeaders } from '../stream.js';

/** What follows an answer on its connection. */
export interface Following {
  /** Whether the connection stays, and for how long when it is idle, in milliseconds. */
  readonly keepAlive: boolean;
  readonly idleMs: number;
  /** Whether the body comes in chunks. */
  readonly chunked: boolean;
}

/** The head of an answer (RFC 9112, 4), up to and with its empty line. */
export function answerHead(status: number, headers: AnswerHeaders, { keepAlive, idleMs, chunked }: Following): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const coding = chunked ? 'Transfer-Encoding: chunked\r\n' : '';
  const connection = keepAlive ? keptAlive(idleMs) : 'Connection: close\r\n';
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields.join('')}${coding}${dateField()}${connection}\r\n`;
}

/** The same of an answer of 200 with some bytes of an object, which is what most are. */
export function bytesHead(length: number, idleMs: number): string {
  const date = dateField();
  if (date !== ofDate || idleMs !== ofIdleMs) {
    ofDate = date;
    ofIdleMs = idleMs;
    common = `HTTP/1.1 200 OK\r\ncontent-type: ${bytesType}\r\n${date}${keptAlive(idleMs)}content-length: `;
  }
  return `${common}${length}\r\n\r\n`;
}

let common = '';
let ofDate = '';
let ofIdleMs = 0;

function keptAlive(idleMs: number): string {
  return `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(idleMs / 1000)}\r\n`;
}

let date = '';
let dateSecond = 0;

/** It has a new value once a second. */
function dateField(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return date;
}
