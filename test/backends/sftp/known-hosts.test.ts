import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { knownHostNames, knownTypes, parseKnownHosts, verify } from '../../../src/backends/sftp/known-hosts.js';
import { hasSshd, makeKey } from '../../support/sshd.js';
import { tempFolder } from '../../support/temp.js';

/** A public key in wire format: its type, and bytes of its own. */
function key(type: string, content: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(type.length);
  return Buffer.concat([head, Buffer.from(type), Buffer.from(content)]);
}

const ed = key('ssh-ed25519', 'one');
const otherEd = key('ssh-ed25519', 'two');
const rsa = key('ssh-rsa', 'three');
const line = (names: string, of = ed, marker = ''): string =>
  `${marker}${names} ${of === rsa ? 'ssh-rsa' : 'ssh-ed25519'} ${of.toString('base64')} a comment\n`;

describe('known_hosts', () => {
  /** What the file says about a key that a host offers. */
  function verdict(text: string, host: string, port = 22, offered = ed): string {
    const type = offered === rsa ? 'ssh-rsa' : 'ssh-ed25519';
    return verify(parseKnownHosts(text, 'file'), knownHostNames(host, port), type, offered).is;
  }

  const trusted: [string, string, string, number?][] = [
    ['a name', line('nas.example.org'), 'nas.example.org'],
    ['a name in other case', line('NAS.example.org'), 'nas.Example.org'],
    ['one of several names', line('nas,192.0.2.1,nas.example.org'), '192.0.2.1'],
    ['an IPv6 address', line('2001:db8::1'), '2001:db8::1'],
    ['a name with a port', line('[nas]:2222'), 'nas', 2222],
    ['a name without the port', line('nas'), 'nas', 2222],
    ['the key of this port, and not of the usual one', line('nas', otherEd) + line('[nas]:2222'), 'nas', 2222],
    ['a name without the port, beside a key of another type', line('[nas]:2222', rsa) + line('nas'), 'nas', 2222],
    ['a wildcard', line('*.example.org'), 'nas.example.org'],
    ['a single-character wildcard', line('nas?'), 'nas1'],
    ['a wildcard in a name with a port', line('[*.example.org]:2222'), 'nas.example.org', 2222],
    ['the second of several keys', line('nas', otherEd) + line('nas'), 'nas'],
    ['a line after a comment and an empty one', `# nas\n\n${line('nas')}`, 'nas'],
    ['a line that ends in CRLF', line('nas').replace('\n', '\r\n'), 'nas'],
    ['a key among those of an authority', line('nas', otherEd, '@cert-authority ') + line('nas'), 'nas'],
  ];
  for (const [what, text, host, port] of trusted) {
    it(`trusts ${what}`, () => {
      expect(verdict(text, host, port)).to.equal('trusted');
    });
  }

  const unknown: [string, string, string, number?][] = [
    ['another name', line('nas'), 'nas2'],
    ['a part of a name', line('nas'), 'nas.example.org'],
    ['another port', line('[nas]:2222'), 'nas', 2223],
    ['the usual port', line('[nas]:2222'), 'nas'],
    ['a name that is excluded', line('*.example.org,!nas.example.org'), 'nas.example.org'],
    ['a dot that is not a wildcard', line('nas.example'), 'nasxexample'],
    ['a line whose type is not the key’s', `nas ssh-rsa ${ed.toString('base64')}\n`, 'nas'],
    ['a line with an unknown marker', line('nas', ed, '@other '), 'nas'],
    ['a line without a key', 'nas ssh-ed25519\n', 'nas'],
    ['no line at all', '', 'nas'],
    ['a port by the other key of the usual one', line('nas', otherEd), 'nas', 2222],
  ];
  for (const [what, text, host, port] of unknown) {
    it(`doesn't know ${what}`, () => {
      expect(verdict(text, host, port)).to.equal('unknown');
    });
  }

  it('finds a key that was changed, and says where the old one is', () => {
    const hosts = parseKnownHosts(`#\n${line('nas', otherEd)}`, 'file');
    expect(verify(hosts, ['nas'], 'ssh-ed25519', ed)).to.deep.equal({
      is: 'mismatch',
      sameType: true,
      where: ['file:2'],
    });
  });

  it('refuses the key of the usual port on a port that has one of its own, and says where that is', () => {
    const hosts = parseKnownHosts(line('nas') + line('[nas]:2222', otherEd), 'file');
    const verdictOf = (offered: Buffer): unknown => verify(hosts, knownHostNames('nas', 2222), 'ssh-ed25519', offered);
    expect(verdictOf(ed)).to.deep.equal({ is: 'mismatch', sameType: true, where: ['file:2'] });
    expect(verdictOf(otherEd)).to.deep.equal({ is: 'trusted' });
  });

  it('asks for the key types of the port, and for those of the usual one only where that has none', () => {
    const hosts = parseKnownHosts(line('nas', rsa) + line('[nas]:2222'), 'file');
    const typesAt = (port: number): string[] => knownTypes(hosts, knownHostNames('nas', port));
    expect([2222, 22, 2223].map(typesAt)).to.deep.equal([['ssh-ed25519'], ['ssh-rsa'], ['ssh-rsa']]);
  });

  it('tells a key of another type from one that was changed', () => {
    const hosts = parseKnownHosts(line('nas', rsa), 'file');
    expect(verify(hosts, ['nas'], 'ssh-ed25519', ed)).to.deep.include({ is: 'mismatch', sameType: false });
  });

  it('refuses a revoked key, even where it is trusted as well', () => {
    expect(verdict(line('nas') + line('*', ed, '@revoked '), 'nas')).to.equal('revoked');
    expect(verdict(line('nas') + line('*', otherEd, '@revoked '), 'nas')).to.equal('trusted');
  });

  it('knows that only certificates of an authority would do', () => {
    expect(verdict(line('*', otherEd, '@cert-authority '), 'nas')).to.equal('authority');
    expect(verdict(line('*', ed, '@cert-authority '), 'nas')).to.equal('authority');
  });

  it('gives the types that are known for a host', () => {
    const hosts = parseKnownHosts(line('nas') + line('nas', rsa) + line('other') + line('*', ed, '@revoked '), 'file');
    expect(knownTypes(hosts, ['nas'])).to.deep.equal(['ssh-ed25519', 'ssh-rsa']);
    expect(knownTypes(hosts, ['another'])).to.deep.equal([]);
  });

  it('never trusts a key that is not in it, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (names, rest) => {
        const text = `${names} ssh-ed25519 ${otherEd.toString('base64')} ${rest}\n${rest}`;
        expect(verdict(text, 'nas')).not.to.equal('trusted');
      }),
    );
  });

  it('understands what ssh-keygen hashes', async function () {
    if (!hasSshd()) this.skip();
    const folder = await tempFolder();
    const [file, identity] = [join(folder, 'known_hosts'), join(folder, 'key')];
    makeKey(identity);
    const [type = '', encoded = ''] = (await readFile(`${identity}.pub`, 'utf8')).split(' ');
    await writeFile(file, `nas.example.org ${type} ${encoded}\n[nas.example.org]:2222 ${type} ${encoded}\n`);
    expect(spawnSync('ssh-keygen', ['-H', '-f', file]).status).to.equal(0);
    const text = await readFile(file, 'utf8');
    expect(text)
      .to.match(/^\|1\|/)
      .and.not.to.contain('nas');
    const hosts = parseKnownHosts(text, file);
    const blob = Buffer.from(encoded, 'base64');
    for (const name of ['nas.example.org', '[nas.example.org]:2222']) {
      expect(verify(hosts, [name], type, blob)).to.deep.equal({ is: 'trusted' });
    }
    expect(verify(hosts, ['nas2.example.org'], type, blob)).to.deep.equal({ is: 'unknown' });
  });
});
