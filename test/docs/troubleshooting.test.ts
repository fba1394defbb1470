import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { errorCodes } from '../../src/core/errors.js';
import { wireStatus } from '../../src/core/status.js';
import { errorMessages, gap, type Message } from './messages.js';
import { readPage } from './pages.js';

/** What only a mistake in the gateway's own code can cause. */
const internal = [
  'grpc-js keeps its HTTP/2 server elsewhere than before',
  '@grpc/reflection has no …',
  'no digest was started',
  'no peer was recorded for this connection',
  'a gateway is watched by itself or by its primary',
  'there is no configuration yet',
  'there is no …',
  'this process is not a cluster worker',
  'the response is broken off',
  'the store is being closed',
];

/** What is only ever put into another text, which has a row. */
const parts = [
  ', as anonymous',
  "a store's folder",
  'delete old snapshots',
  'in the configuration',
  'is offered; port 25); :PORT can follow',
  'it answered ……',
  'it offered … …',
  'purge the trash, which counts',
  'the default store',
  '… MiB in … s',
  '… and … more',
];

/** The rows of the tables whose first column has this title, as their cells. */
function rowsUnder(page: string, title: string): string[][] {
  const rows: string[][] = [];
  let isInside = false;
  for (const line of page.split('\n')) {
    const cells = line.startsWith('|')
      ? line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim())
      : [];
    if (cells.length === 0) isInside = false;
    else if (cells[0] === title) isInside = true;
    else if (isInside && !/^-+$/.test(cells[0] ?? '')) rows.push(cells);
  }
  return rows;
}

/** Whether a text of the page, with gaps, is the beginning of a message, with gaps of its own. */
function isBeginningOf(text: string, message: string): boolean {
  const parts = text.split(gap).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}`, 's').test(message);
}

describe('The page about troubleshooting', function () {
  this.timeout(120_000);
  const page = readPage('docs/troubleshooting.md');
  const rows = rowsUnder(page, 'text');
  const texts = rows.flatMap(([first = '']) => [...first.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));
  let messages: readonly Message[] = [];

  before(() => {
    messages = errorMessages();
    expect(messages.length).to.be.above(300);
    expect(texts.length).to.be.above(200);
  });

  it('has each error code with its statuses', () => {
    const documented = rowsUnder(page, 'code').map((cells) => cells.slice(0, 3).join(' '));
    const actual = errorCodes.map((code) => `\`${code}\` ${wireStatus[code].http} ${status[wireStatus[code].grpc]}`);
    expect(documented).to.have.members(actual);
  });

  it('has a row for each error text of the source', () => {
    const missing = messages
      .filter(({ text }) => !internal.includes(text) && !parts.includes(text))
      .filter(({ text }) => !texts.some((each) => isBeginningOf(each, text)))
      .map(({ file, text }) => `src/${file}: ${text}`);
    expect(missing).to.deep.equal([]);
  });

  it('has no row without an error of the source', () => {
    const unknown = texts.filter((text) => !messages.some((message) => isBeginningOf(text, message.text)));
    expect(unknown).to.deep.equal([]);
  });

  it('excludes no text that the source does not have', () => {
    const all = messages.map(({ text }) => text);
    expect(all).to.include.members([...internal, ...parts]);
  });

  it('says for each text what the cause is and what to do', () => {
    for (const cells of rows) {
      expect(cells, cells[0]).to.have.length(3);
      for (const cell of cells) expect(cell, cells[0]).to.not.equal('');
    }
  });
});
