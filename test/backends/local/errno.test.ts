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

  it('tells a file system without hard links from one that refuses', () => {
    const unsupported = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES', 'EEXIST'].filter((code) =>
      isUnsupportedLink(errno(code)),
    );
    expect(unsupported).to.deep.equal(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
  });
});
