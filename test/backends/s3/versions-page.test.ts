import { expect } from 'chai';
import { versionsPage, type VersionsAnswer } from '../../../src/backends/s3/versions-page.js';
import { versionTime } from '../../../src/backends/s3/version-time.js';
import { StoreError } from '../../../src/core/errors.js';

const at = (second: number): Date => new Date(Date.UTC(2026, 10, 1, 12, 0, second));

const entry = (Key: string, VersionId: string, second: number, IsLatest = false) => ({
  ...{ Key, VersionId, IsLatest, Size: 1, LastModified: at(second) },
});

const idsOf = (answer: VersionsAnswer): string[] =>
  versionsPage({ IsTruncated: false, ...answer }, { prefix: '', marker: undefined }).versions.map(
    ({ versionId }) => versionId,
  );

describe('A page of versions in S3', () => {
  it('has the versions and markers of each key in the order of their times, the newest first', () => {
    const Versions = [entry('a', 'a3', 5), entry('a', 'a1', 1), entry('b', 'b1', 9, true), entry('c', 'c1', 1)];
    const DeleteMarkers = [
      entry('a', 'a4', 7, true),
      entry('a', 'a2', 3),
      entry('c', 'c2', 2, true),
      entry('d', 'd1', 1),
    ];
    const expected = ['a4', 'a3', 'a2', 'a1', 'b1', 'c2', 'c1', 'd1'];
    expect(idsOf({ Versions, DeleteMarkers })).to.deep.equal(expected);
  });

  it('has the latest one first, whatever the times, and a marker above what it marked in the same second', () => {
    const Versions = [entry('a', 'a3', 1, true), entry('a', 'a1', 1)];
    expect(idsOf({ Versions, DeleteMarkers: [entry('a', 'a2', 1)] })).to.deep.equal(['a3', 'a2', 'a1']);
    expect(idsOf({ Versions, DeleteMarkers: [entry('a', 'a2', 2)] })).to.deep.equal(['a3', 'a2', 'a1']);
  });

  it('has keys as they are, also where the service encodes them for URLs', () => {
    const Versions = [entry('a%2Fb+c', '1', 1)];
    const answer = {
      Versions,
      EncodingType: 'url',
      IsTruncated: true,
      NextKeyMarker: 'a%2Fb+c',
      NextVersionIdMarker: '1',
    };
    const { versions, next } = versionsPage(answer, { prefix: 'a/', marker: undefined });
    expect(versions[0]?.key).to.equal('a/b c');
    expect(next).to.deep.equal({ key: 'a/b c', versionId: '1' });
  });

  it('is an error where something is missing, and where the next page is the same one', () => {
    const marker = { key: 'a', versionId: '1' };
    const next = { NextKeyMarker: 'a', NextVersionIdMarker: '1' };
    for (const answer of [
      {},
      { IsTruncated: true },
      { IsTruncated: true, ...next },
      { IsTruncated: false, Versions: [{ ...entry('a', '1', 1), Size: undefined }] },
      { IsTruncated: false, DeleteMarkers: [{ ...entry('a', '1', 1), LastModified: undefined }] },
      { IsTruncated: false, DeleteMarkers: [entry('a', '', 1)] },
      { IsTruncated: false, Versions: [{ ...entry('a', '1', 1), IsLatest: undefined }] },
    ])
      expect(() => versionsPage(answer, { prefix: '', marker })).to.throw(StoreError);
  });

  it('has the time that is in an id of versitygw, and otherwise the one that the service tells', () => {
    const lastModifiedMs = at(0).getTime();
    expect(versionTime('01ARZ3NDEKTSV4RRFFQ69G5FAV', lastModifiedMs), 'from 2016').to.equal(lastModifiedMs);
    expect(versionTime('01K90XT6005FZYG3Y9J6JXQW7T', lastModifiedMs)).to.equal(1_762_041_600_000);
    for (const id of ['null', '7ZZZZZZZZZZZZZZZZZZZZZZZZZ', 'fc1df9a0-8f5c-4f8b-9f0c-2b6c5e3f0a11'])
      expect(versionTime(id, lastModifiedMs)).to.equal(lastModifiedMs);
  });
});
