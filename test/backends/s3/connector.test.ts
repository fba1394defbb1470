import { expect } from 'chai';
import { connectorOptions, withConnectorOptions } from '../../../src/backends/s3/connector.js';
import { formatS3Location, parseS3Location } from '../../../src/backends/s3/location.js';

/** The location that plakar's options make of one. */
function combined(location: string, options: Record<string, string>): string {
  return formatS3Location(withConnectorOptions(parseS3Location(location), options));
}

const key = Buffer.alloc(32, 7);

describe("the options of plakar's S3 connector", () => {
  it('change the place that the location names, as they do in plakar', () => {
    const path = 's3://s3.example.org/backups/a';
    expect(combined(path, {})).to.equal(path);
    expect(combined(path, { port: '9000' })).to.equal('s3://s3.example.org:9000/backups/a');
    expect(combined('s3://h:1/backups', { port: '9000' }), 'its own port counts').to.equal('s3://h:1/backups');
    expect(combined('s3://[::1]/backups', { port: '9000' })).to.equal('s3://[::1]:9000/backups');
    expect(combined('s3://h/backups', { root: '/a/b' })).to.equal('s3://h/backups/a/b');
    expect(combined('s3://h/backups', { root: '/backups/a/' })).to.equal('s3://h/backups/a');
    expect(combined(path, { root: '/backups' })).to.equal('s3://s3.example.org/backups');
    expect(combined(path, { root: '/' })).to.equal(path);
    expect(combined(path, { endpoint: 's3.example.org' })).to.equal(path);
    expect(combined('s3://backups/teams/b', { endpoint: 'h:9000' })).to.equal('s3://h:9000/backups/teams/b');
    const virtual = { virtual_host: 'true', endpoint: 'https://s3.example.org/' };
    expect(combined('s3://backups.s3.example.org/teams/c', virtual)).to.equal('s3://s3.example.org/backups/teams/c');
  });

  it('are refused where they contradict the location or each other', () => {
    for (const options of [
      { root: '/b' },
      { port: 'x' },
      { endpoint: 'a b' },
      { virtual_host: 'true' },
      { virtual_host: 'true', endpoint: 'other.example.org' },
      { virtual_host: 'perhaps' },
    ] as Record<string, string>[]) {
      expect(() => combined('s3://s3.example.org/backups/a', options), JSON.stringify(options)).to.throw();
    }
    for (const options of [
      { access_key: 'AKIAKEY' },
      { secret_access_key: 'topsecret' },
      { use_tls: 'perhaps' },
      { sse_customer_key: 'topsecret' },
      { storage_class: 'GLACIER' },
    ] as Record<string, string>[]) {
      expect(() => connectorOptions(options), JSON.stringify(options)).to.throw(/^(?!.*(AKIAKEY|topsecret))/);
    }
  });

  it('say how the service is reached, and with which keys', () => {
    expect(connectorOptions({})).to.deep.equal({ tls: true, insecureSkipVerify: false });
    const options = {
      access_key: 'AKIAKEY',
      secret_access_key: 'topsecret',
      use_tls: 'false',
      tls_insecure_no_verify: '1',
      storage_class: 'standard_ia',
      virtual_host: 'T',
      region: 'eu-1',
      sse_customer_key: key.toString('base64'),
    };
    expect(connectorOptions(options)).to.deep.equal({
      accessKey: { id: 'AKIAKEY', secret: 'topsecret' },
      tls: false,
      insecureSkipVerify: true,
      storageClass: 'STANDARD_IA',
      pathStyle: false,
      region: 'eu-1',
      sseCustomerKey: key,
    });
  });
});
