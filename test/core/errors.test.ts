import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { STATUS_CODES } from 'node:http';
import { canceled, errorCodes, hasCode, StoreError, withPlaceOfFullDisk } from '../../src/core/errors.js';
import { wireStatus } from '../../src/core/status.js';

describe('StoreError.from', () => {
  it('passes a StoreError on as it is', () => {
    const error = new StoreError('no_space', 'full');
    expect(StoreError.from(error)).to.equal(error);
  });

  it('makes an abort `canceled`', () => {
    const error = StoreError.from(new DOMException('stop', 'AbortError'));
    expect(hasCode(error, 'canceled')).to.equal(true);
    expect(hasCode(canceled(), 'canceled')).to.equal(true);
  });

  it('turns unexpected errors into `internal`, with their text in the cause alone', () => {
    const cause = new Error('open /srv/secret/place');
    const error = StoreError.from(cause);
    expect(error.code).to.equal('internal');
    expect(error.message).to.equal('internal error');
    expect(error.cause).to.equal(cause);
    expect(StoreError.from('a string').code).to.equal('internal');
  });
});

describe('withPlaceOfFullDisk', () => {
  it('tells which disk is full, and leaves other errors as they are', async () => {
    const cause = new Error('ENOSPC');
    const full = Promise.reject(new StoreError('no_space', 'the disk is full', { cause }));
    const told = await full.catch(withPlaceOfFullDisk('/mnt/copy')).catch((error: unknown) => error);
    expect(told).to.deep.include({ code: 'no_space', message: '/mnt/copy: the disk is full', cause });
    const other = new StoreError('unavailable', 'gone');
    expect(() => withPlaceOfFullDisk('/mnt/copy')(other)).to.throw(other);
  });
});

describe('the status table', () => {
  it('has a row for every code, and no other', () => {
    expect(Object.keys(wireStatus)).to.have.members([...errorCodes]);
  });

  it('has real statuses, none of which a client could take for success', () => {
    for (const { http, grpc } of Object.values(wireStatus)) {
      expect(http === 499 || STATUS_CODES[http] !== undefined).to.equal(true);
      expect(http).to.be.within(400, 599);
      expect(status[grpc]).to.be.a('string').and.not.equal('OK');
    }
  });
});
