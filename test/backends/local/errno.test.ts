import { expect } from 'chai';
import { fromErrno, isUnsupportedLink } from '../../../src/backends/local/errno.js';

const errno = (code: string): Error => Object.assign(new Error(`${code}: failed, '/secret/path'`), { code });

describe('The errno of a file operation', () => {
  it('is a code and a message that names no path', () => {
    const codes = ['ENOENT', 'EEXIST', 'ENOSPC', 'EACCES', 'EIO', 'EMFILE', 'EINVAL'].map((code) => {
      const error = fromErrno(errno(code));
      expect(error.message).to.not.include('/secret');
      return error.code;
    });
    expect(codes).to.deep.equal([
      'not_found',
      'already_exists',
      'no_space',
      'internal',
      'unavailable',
      'unavailable',
      'internal',
    ]);
  });

  it('is told by its number where Node has no name for it', () => {
    // As Linux numbers them, and Node reports them: EDQUOT, ESTALE, EUCLEAN, ENOMEDIUM, EKEYEXPIRED, and one that no file system answers.
    const codes = [122, 116, 117, 123, 127, 133].map((number) => {
      const error = Object.assign(new Error(`Unknown system error -${number}: write`), { errno: -number });
      return fromErrno(Object.assign(error, { code: `Unknown system error -${number}` })).code;
    });
    expect(codes).to.deep.equal(['no_space', 'unavailable', 'unavailable', 'unavailable', 'internal', 'internal']);
  });

  it('is unavailable for what a file server, a FUSE program or a damaged file system answers', () => {
    const codes = ['ENOTCONN', 'ECONNABORTED', 'EHOSTDOWN', 'EREMOTEIO', 'ESHUTDOWN', 'ETIMEDOUT', 'EBUSY', 'EAGAIN'];
    for (const code of codes) expect(fromErrno(errno(code)).code).to.equal('unavailable');
  });

  it('tells a file system without hard links from one that refuses', () => {
    const unsupported = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES', 'EEXIST'].filter((code) =>
      isUnsupportedLink(errno(code)),
    );
    expect(unsupported).to.deep.equal(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
  });
});
