import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { peerCertificate, type TlsConnection } from '../../src/auth/certificates.js';
import type { PeerCertificate } from '../../src/core/caller.js';
import { makeCertificate, type Certificate } from '../support/certificate.js';
import { tempFolder } from '../support/temp.js';

/** A connection whose client showed this. */
function connection(certificate: object | null, authorizationError?: string): TlsConnection {
  return { getPeerCertificate: () => certificate, authorized: authorizationError === undefined, authorizationError };
}

/** A certificate that vouches for itself, with these alternative names: `DNS.1 = a`. */
async function certificateWith(
  subject: string,
  altNames: readonly string[],
): Promise<Pick<Certificate, 'cert' | 'key'>> {
  const folder = await tempFolder();
  const [config, key, cert] = [join(folder, 'config'), join(folder, 'key.pem'), join(folder, 'cert.pem')];
  await writeFile(
    config,
    ['[req]', 'distinguished_name=dn', '[dn]', '[ext]', 'subjectAltName=@alt', '[alt]', ...altNames, ''].join('\n'),
  );
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  const files = ['-keyout', key, '-out', cert, '-config', config, '-extensions', 'ext'];
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...curve, '-subj', subject, ...files]);
  if (status !== 0) throw new Error(`openssl: ${String(stderr)}`);
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

/** What a real TLS server sees of a client. */
async function seen(trusted: Buffer, client: { cert?: Buffer; key?: Buffer }): Promise<PeerCertificate | undefined> {
  const { cert, key } = await makeCertificate();
  const server = createServer({ cert, key, ca: trusted, requestCert: true, rejectUnauthorized: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    ca: cert,
    servername: 'localhost',
    ...client,
  });
  const [accepted] = (await once(server, 'secureConnection')) as [TLSSocket];
  try {
    return peerCertificate(accepted);
  } finally {
    socket.destroy();
    accepted.destroy();
    server.close();
  }
}

describe('peerCertificate', () => {
  const altNames = 'DNS:Web-1.Example.ORG, URI:spiffe://example.org/Web, email:Ops@example.org, IP Address:192.0.2.1';
  const shown: [string, object, string[]][] = [
    ['the common name', { subject: { CN: 'web-1' } }, ['cn:web-1']],
    ['several common names', { subject: { CN: ['a', 'b'] } }, ['cn:a', 'cn:b']],
    ['no name at all', { subject: {} }, []],
    [
      'alternative names, but no addresses',
      { subject: {}, subjectaltname: altNames },
      ['dns:web-1.example.org', 'uri:spiffe://example.org/Web', 'email:Ops@example.org'],
    ],
  ];
  for (const [what, certificate, names] of shown) {
    it(`gives ${what}`, () => {
      expect(peerCertificate(connection(certificate))).to.deep.equal({ names });
    });
  }

  it('is undefined if the client sent none', () => {
    expect(peerCertificate(connection({}, 'UNABLE_TO_GET_ISSUER_CERT'))).to.equal(undefined);
    expect(peerCertificate(connection({}))).to.equal(undefined);
    expect(peerCertificate(connection(null))).to.equal(undefined);
  });

  const problems: [string, RegExp][] = [
    ['CERT_HAS_EXPIRED', /expired/],
    ['CERT_NOT_YET_VALID', /yet/],
    ['CERT_REVOKED', /revoked/],
    ['INVALID_PURPOSE', /clients/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /authority/],
    ['WHAT_NOBODY_KNOWS', /authority/],
  ];
  for (const [code, text] of problems) {
    it(`explains ${code}`, () => {
      const certificate = peerCertificate(connection({ subject: { CN: 'a' } }, code));
      expect(certificate?.names).to.deep.equal(['cn:a']);
      expect(certificate?.problem).to.match(text);
    });
  }

  it("doesn't trust an unverified certificate without an error code", () => {
    const unverified = { getPeerCertificate: () => ({ subject: { CN: 'a' } }), authorized: false };
    expect(peerCertificate(unverified)?.problem).to.match(/authority/);
  });

  it("doesn't trust a certificate whose alternative names can't be read", () => {
    const certificate = peerCertificate(connection({ subject: { CN: 'a' }, subjectaltname: 'DNS:a,DNS:b' }));
    expect(certificate?.names).to.deep.equal(['cn:a']);
    expect(certificate?.problem).to.match(/can't be read/);
  });

  it('reads the names of a real, trusted certificate, whatever they contain', async () => {
    const client = await certificateWith('/CN=web-1, dns:x', [
      'DNS.1 = "evil, DNS:victim.example.org"',
      'DNS.2 = ok.example.org',
      'URI.1 = "urn:a\\", URI:urn:victim"',
    ]);
    const certificate = await seen(client.cert, client);
    expect(certificate?.problem).to.equal(undefined);
    expect(certificate?.names).to.include.members([
      'cn:web-1, dns:x',
      'dns:evil, dns:victim.example.org',
      'dns:ok.example.org',
    ]);
    expect(certificate?.names).to.not.include('dns:victim.example.org').and.not.include('uri:urn:victim');
    expect(certificate?.names).to.have.length(4);
  });

  it("doesn't trust a real certificate that the authority didn't sign", async () => {
    const [client, other] = [await makeCertificate(), await makeCertificate()];
    const certificate = await seen(other.cert, { cert: client.cert, key: client.key });
    expect(certificate?.names).to.deep.equal(['cn:localhost', 'dns:localhost']);
    expect(certificate?.problem).to.match(/authority/);
  });

  it('sees that a real client shows none', async () => {
    const { cert } = await makeCertificate();
    expect(await seen(cert, {})).to.equal(undefined);
  });
});
