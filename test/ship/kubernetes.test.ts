import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { program } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { hasTools, kustomize, validateResources } from './support/tools.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: unknown;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string }[];
  readonly topologySpreadConstraints?: readonly { readonly topologyKey: string }[];
}

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: PodSpec; readonly metadata: { readonly labels: unknown } };
    readonly volumeClaimTemplates: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: { readonly accessModes: readonly string[] };
    }[];
    readonly ports: readonly { readonly name: string; readonly targetPort: string; readonly appProtocol?: string }[];
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly endpoints: readonly { readonly port: string }[];
    readonly maxUnavailable: number;
    readonly sessionAffinity?: string;
  };
}

/** What an overlay makes, with all components that it names in comments if these are wanted. */
async function build(
  overlay: string,
  withComponents = false,
): Promise<{ resources: readonly Resource[]; path: string }> {
  const folder = join(await tempFolder(), 'kubernetes');
  await cp(join(root, 'deploy/kubernetes'), folder, { recursive: true });
  const file = join(folder, overlay, 'kustomization.yaml');
  const text = await readFile(file, 'utf8');
  const uncommented = text.replace(/^# (components:|  - )/gm, '$1');
  expect(uncommented).to.not.equal(text);
  if (withComponents) await writeFile(file, uncommented);
  const path = join(folder, 'built.yaml');
  const yaml = await kustomize(join(folder, overlay));
  await writeFile(path, yaml);
  return { resources: parseAllDocuments(yaml).map((document) => document.toJS() as Resource), path };
}

function find(resources: readonly Resource[], kind: string, name = 'kloset-gateway'): Resource {
  const found = resources.find((resource) => resource.kind === kind && resource.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} called ${name}`);
  return found;
}

const podOf = (resources: readonly Resource[]): PodSpec => find(resources, 'StatefulSet').spec.template.spec;

for (const overlay of ['local', 's3']) {
  describe(`deploy/kubernetes/${overlay}`, function () {
    this.timeout(300_000);
    let resources: readonly Resource[];
    let path: string;
    let config: Readonly<Record<string, string>>;
    let configFile: string;

    before(async function () {
      if (!hasTools()) this.skip();
      ({ resources, path } = await build(overlay));
      const [name = '', text = ''] = Object.entries(find(resources, 'ConfigMap').data)[0] ?? [];
      config = parse(text) as Record<string, string>;
      configFile = join(await tempFolder(), name);
      await writeFile(configFile, text);
    });

    it("keeps to Kubernetes' own schemas", async () => {
      expect(await validateResources(path)).to.deep.equal({ status: 0, output: '' });
    });

    it('keeps to the Pod Security level `restricted`, with a read-only root file system', () => {
      const { securityContext, containers } = podOf(resources);
      expect(find(resources, 'Namespace').metadata.labels).to.include({
        'pod-security.kubernetes.io/enforce': 'restricted',
      });
      expect(securityContext).to.deep.include({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(containers.map((container) => container.securityContext)).to.deep.equal([
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      ]);
    });

    it("runs as the image's user", async () => {
      const user = /^USER (\d+):(\d+)$/m.exec(await readFile(join(root, 'Dockerfile'), 'utf8')) ?? [];
      const { runAsUser, runAsGroup, fsGroup } = podOf(resources).securityContext;
      expect([runAsUser, runAsGroup, fsGroup].map(String)).to.deep.equal([user[1], user[2], user[2]]);
    });

    it('has a configuration that the gateway takes, where it looks for it', () => {
      const { args, volumeMounts } = podOf(resources).containers[0];
      const folder = volumeMounts.find(({ name }) => name === 'config')?.mountPath;
      expect(args).to.deep.equal(['serve', '--config', `${folder}/config.yaml`]);
      const { status, stderr } = spawnSync(process.execPath, [...program, 'check-config', '--config', configFile]);
      expect(status, String(stderr)).to.equal(0);
    });

    it('mounts the folders that the configuration writes to and reads from', () => {
      const { volumes, containers } = podOf(resources);
      const claims = find(resources, 'StatefulSet').spec.volumeClaimTemplates.map(({ metadata }) => metadata.name);
      const mounts = containers[0].volumeMounts;
      expect(mounts.map(({ name }) => name)).to.have.members([...volumes.map(({ name }) => name), ...claims]);
      const paths = [config['state-dir'], config['s3-credentials-file']].filter((each) => each !== undefined);
      for (const each of paths)
        expect(
          mounts.some(({ mountPath }) => each.startsWith(mountPath)),
          each,
        ).to.equal(true);
    });

    it('asks the admin listener for its health, and reaches the others by services', () => {
      const { ports, ...container } = podOf(resources).containers[0];
      const listeners = { http: config['listen'], grpc: config['grpc-listen'], admin: config['admin-listen'] };
      expect(Object.fromEntries(ports.map(({ name, containerPort }) => [name, `:${containerPort}`]))).to.deep.equal(
        listeners,
      );
      const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
      expect(probes.map(({ httpGet }) => httpGet)).to.deep.equal([
        { path: '/healthz', port: 'admin' },
        { path: '/healthz', port: 'admin' },
        { path: '/readyz', port: 'admin' },
      ]);
      const targets = (name: string) => find(resources, 'Service', name).spec.ports.map(({ targetPort }) => targetPort);
      expect(targets('kloset-gateway')).to.deep.equal(['http', 'grpc']);
      expect(targets('kloset-gateway-replicas')).to.deep.equal(['admin']);
    });

    it('gives the gateway longer to stop than it may take', () => {
      const seconds = [config['shutdown-delay'], config['drain-timeout']].map((time) =>
        Number(time?.replace(/s$/, '')),
      );
      const [delay = NaN, drain = NaN] = seconds;
      expect(delay).to.be.greaterThan(0);
      expect(podOf(resources).terminationGracePeriodSeconds).to.be.greaterThan(delay + drain);
    });

    it('has no secrets in it', () => {
      expect(resources.map(({ kind }) => kind)).to.not.include('Secret');
    });

    it('gets TLS and a ServiceMonitor by its components', async () => {
      const { resources: whole } = await build(overlay, true);
      const { env, volumeMounts } = podOf(whole).containers[0];
      const folder = volumeMounts.find(({ name }) => name === 'tls')?.mountPath;
      expect(env).to.deep.equal([
        { name: 'KLOSET_GATEWAY_CERT', value: `${folder}/tls.crt` },
        { name: 'KLOSET_GATEWAY_KEY', value: `${folder}/tls.key` },
      ]);
      const { endpoints, selector } = find(whole, 'ServiceMonitor').spec;
      const { metadata, spec } = find(whole, 'Service', 'kloset-gateway-replicas');
      expect(metadata.labels).to.include(selector.matchLabels);
      expect(endpoints.map(({ port }) => port)).to.deep.equal(spec.ports.map(({ name }) => name));
    });
  });
}

describe('deploy/kubernetes', function () {
  this.timeout(300_000);

  before(function () {
    if (!hasTools()) this.skip();
  });

  it('has one replica for a volume, which nobody else mounts', async () => {
    const { spec } = find((await build('local')).resources, 'StatefulSet');
    expect(spec.replicas).to.equal(1);
    const store = spec.volumeClaimTemplates.find(({ metadata }) => metadata.name === 'store');
    expect(store?.spec.accessModes).to.deep.equal(['ReadWriteOncePod']);
  });

  it('has three replicas for a bucket, on different nodes, of which two stay', async () => {
    const { resources } = await build('s3');
    const { spec } = find(resources, 'StatefulSet');
    expect(spec.replicas).to.equal(3);
    expect(spec.template.spec.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).to.deep.equal([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    const budget = find(resources, 'PodDisruptionBudget').spec;
    expect(budget.maxUnavailable).to.equal(1);
    expect(spec.template.metadata.labels).to.include(budget.selector.matchLabels);
    expect(find(resources, 'Service').spec.sessionAffinity).to.equal('ClientIP');
  });
});
