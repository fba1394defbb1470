import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { promtool, hasPrometheus } from '../deploy/support/prometheus.js';
import { readDashboard } from '../deploy/support/files.js';
import { program } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { composeProject, hasTools } from './support/tools.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compose = join(root, 'compose.yaml');
const tls = join(root, 'deploy/compose/tls.yaml');

interface Service {
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly { readonly target: string }[];
  readonly ports?: readonly { readonly target: number; readonly host_ip?: string }[];
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[];
}

interface Project {
  readonly services: Readonly<Record<'gateway' | 'prometheus' | 'grafana', Service>>;
}

describe('compose.yaml', function () {
  this.timeout(300_000);
  let project: Project;
  let services: readonly (readonly [string, Service])[];

  before(async function () {
    if (!hasTools()) this.skip();
    project = (await composeProject([compose])) as Project;
    services = Object.entries(project.services);
  });

  it('gives no service privileges, or a root file system to write to', () => {
    for (const [name, service] of services) {
      expect(service.read_only, name).to.equal(true);
      expect(service.cap_drop, name).to.deep.equal(['ALL']);
      expect(service.security_opt, name).to.deep.equal(['no-new-privileges:true']);
    }
  });

  it('opens only the gateway to other machines', () => {
    const open = services.flatMap(([, { ports = [] }]) => ports.filter((port) => port.host_ip === undefined));
    expect(open.map(({ target }) => target)).to.deep.equal([9876, 9878]);
  });

  it("runs the gateway as the image's user", async () => {
    const user = /^USER (.*)$/m.exec(await readFile(join(root, 'Dockerfile'), 'utf8'))?.[1];
    expect(project.services.gateway.user).to.equal(user);
  });

  it('mounts files that are there, apart from the store', () => {
    const mounts = services.flatMap(([, { volumes = [] }]) => volumes.filter(({ type }) => type === 'bind'));
    const missing = mounts.filter(({ source, target }) => target !== '/srv/kloset' && !existsSync(source));
    expect(missing).to.deep.equal([]);
  });

  it('has a configuration that the gateway takes, with the listeners that are published', async () => {
    const config = join(root, 'deploy/compose/gateway/config.yaml');
    const { status, stderr } = spawnSync(process.execPath, [...program, 'check-config', '--config', config]);
    expect(status, String(stderr)).to.equal(0);
    const listeners = parse(await readFile(config, 'utf8')) as Record<string, string>;
    expect(['listen', 'grpc-listen', 'admin-listen'].map((name) => listeners[name])).to.deep.equal([
      ':9876',
      ':9878',
      ':9464',
    ]);
  });

  it('gives Prometheus a configuration that it takes, with the alerts', async function () {
    if (!hasPrometheus()) this.skip();
    const folder = await tempFolder();
    for (const { source, target } of project.services.prometheus.volumes ?? [])
      if (target.startsWith('/etc/prometheus/')) await cp(source, join(folder, target));
    const { isFine, output } = promtool(['check', 'config', join(folder, 'etc/prometheus/prometheus.yaml')]);
    expect(isFine, output).to.equal(true);
    expect(output).to.match(/1 rule files found[^]*\d\d rules found/);
  });

  it('gives Grafana the dashboard, and Prometheus to read from', async () => {
    const provisioned = async (target: string): Promise<unknown> => {
      const mount = project.services.grafana.volumes?.find((volume) => volume.target.startsWith(target));
      return parse(await readFile(mount?.source ?? '', 'utf8'));
    };
    const { datasources } = (await provisioned('/etc/grafana/provisioning/datasources/')) as {
      datasources: readonly { type: string; url: string }[];
    };
    const { templating } = await readDashboard();
    expect(datasources.map(({ type }) => type)).to.deep.equal([
      templating.list.find(({ name }) => name === 'datasource')?.query,
    ]);
    expect(datasources[0]?.url).to.equal('http://prometheus:9090');
    const { providers } = (await provisioned('/etc/grafana/provisioning/dashboards/')) as {
      providers: readonly { options: { path: string } }[];
    };
    const dashboards = project.services.grafana.volumes?.find(({ target }) => target === providers[0]?.options.path);
    expect(dashboards?.source).to.equal(join(root, 'deploy/grafana'));
  });

  it('takes secrets from files, also for TLS', async () => {
    const withTls = ((await composeProject([compose, tls])) as Project).services;
    expect(withTls.grafana.secrets?.map(({ target }) => target)).to.deep.equal([
      withTls.grafana.environment?.['GF_SECURITY_ADMIN_PASSWORD__FILE'],
    ]);
    expect(withTls.gateway.secrets?.map(({ target }) => target)).to.deep.equal([
      withTls.gateway.environment?.['KLOSET_GATEWAY_CERT'],
      withTls.gateway.environment?.['KLOSET_GATEWAY_KEY'],
    ]);
  });
});
