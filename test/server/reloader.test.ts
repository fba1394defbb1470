import { expect } from 'chai';
import { rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.js';
import { loadConfig, type Loaded } from '../../src/config/load.js';
import { Reloader } from '../../src/server/reloader.js';
import { watchFiles } from '../../src/server/watch-files.js';
import type { LogLine } from '../support/gateway.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';

/** Longer than the resolution of times in file systems. */
const watchEveryMs = 20;

describe('Reloader', () => {
  let folder: string;
  let file: string;
  let reloader: Reloader | undefined;
  /** The configurations that the gateway was asked to activate. */
  let reloaded: Config[];
  let active: Loaded[];
  let log: LogLine[];
  /** What the gateway does with a configuration. */
  let activate: (config: Config) => Promise<void>;
  /** The files that the gateway has read beside the configuration. */
  let gatewayFiles: string[];
  let failedReloads: number;

  beforeEach(async () => {
    folder = await tempFolder();
    file = join(folder, 'gateway.yaml');
    [reloaded, active, log, gatewayFiles] = [[], [], [], []];
    failedReloads = 0;
    activate = () => Promise.resolve();
  });

  afterEach(() => reloader?.close());

  async function start(): Promise<Reloader> {
    const load = (): ReturnType<typeof loadConfig> =>
      loadConfig({ flags: {}, env: {}, configPath: file, surroundings: { home: folder, cwd: folder } });
    const logger = (level: string) => (fields: object, message: string) => log.push({ level, message, ...fields });
    const gateway = {
      get files() {
        return gatewayFiles;
      },
      countFailedReload: () => void failedReloads++,
      reload: async (config: Config) => {
        reloaded.push(config);
        await activate(config);
      },
    };
    reloader = new Reloader({
      load,
      configFiles: [file],
      gateway,
      onReload: (loaded) => active.push(loaded),
      log: { info: logger('info'), warn: logger('warn'), error: logger('error') },
      watchEveryMs,
    });
    return reloader;
  }

  /** Replaces the file atomically. */
  async function write(text: string): Promise<void> {
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  const drains = (): number[] => reloaded.map(({ drainMs }) => drainMs);

  it('activates the current file, and logs its warnings', async () => {
    await write('drain-timeout: 5s\n');
    const own = await start();
    await own.reload();
    await write('drain-timeout: 7s\nlog-level: warn\nlisten: ":9876"\n');
    await own.reload();
    expect(drains()).to.deep.equal([5000, 7000]);
    expect(active.map(({ config }) => config.logLevel)).to.deep.equal(['info', 'warn']);
    expect(log.map(({ level }) => level))
      .to.include('warn')
      .and.not.include('error');
  });

  it('reports all problems of an invalid file, each with its line, and keeps the previous configuration', async () => {
    await write('drain-timeout: 5s\n');
    const own = await start();
    await write('drain-timeout: never\nlog-level: loud\nallow-writes: true\n');
    await own.reload();
    expect(reloaded).to.deep.equal([]);
    expect(active).to.deep.equal([]);
    const messages = log.filter(({ level }) => level === 'error').map(({ message }) => message);
    expect(messages).to.have.length(4);
    for (const [line, name] of [
      [1, 'drain-timeout'],
      [2, 'log-level'],
      [3, 'allow-writes'],
    ] as const) {
      expect(messages.some((message) => message.startsWith(`${file}:${line}:`) && message.includes(name))).to.equal(
        true,
      );
    }
    expect(messages.at(-1)).to.equal('the configuration was not reloaded: the previous one stays active');
    expect(failedReloads).to.equal(1);
  });

  it("reports what the gateway can't activate, and a file that is gone, and tries again on request", async () => {
    await write('drain-timeout: 5s\n');
    const own = await start();
    activate = () => Promise.reject(new Error("can't listen on :9876: EADDRINUSE"));
    await own.reload();
    expect(active).to.deep.equal([]);
    expect(log.map(({ message }) => message)).to.deep.equal([
      "can't listen on :9876: EADDRINUSE",
      'the configuration was not reloaded: the previous one stays active',
    ]);
    await unlink(file);
    await own.reload();
    expect(log.at(-2)?.message).to.include(`the configuration file ${file} can't be read: it does not exist`);
    activate = () => Promise.resolve();
    await write('drain-timeout: 6s\n');
    await own.reload();
    expect(active.map(({ config }) => config.drainMs)).to.deep.equal([6000]);
  });

  it('does one reload at a time, in the order of the requests', async () => {
    await write('drain-timeout: 1s\n');
    const own = await start();
    let atOnce = 0;
    let most = 0;
    activate = async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
    };
    await Promise.all([own.reload(), own.reload(), own.reload()]);
    expect(most).to.equal(1);
    expect(reloaded).to.have.length(3);
  });

  it('notices when the file changes, also after an invalid one, and when a file of the gateway changes', async () => {
    gatewayFiles = [join(folder, 'cert.pem')];
    await write('drain-timeout: 1s\n');
    await start();
    await write('drain-timeout: 2s\n');
    await eventually(async () => drains().includes(2000), 'the change is active');
    await write('drain-timeout: wrong\n');
    await eventually(async () => log.length > 0, 'the problem is reported');
    await write('drain-timeout: 3s\n');
    await eventually(async () => drains().includes(3000), 'the next change is active');
    const before = reloaded.length;
    await writeFile(join(folder, 'cert.pem'), 'another one');
    await eventually(async () => reloaded.length > before, 'the certificate is read');
  });

  it('waits for a running reload before it is closed, and starts none afterwards', async () => {
    await write('drain-timeout: 1s\n');
    const own = await start();
    let ended = false;
    activate = async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      ended = true;
    };
    void own.reload();
    await own.close();
    expect(ended).to.equal(true);
    await write('drain-timeout: 2s\n');
    await noticed(file, () => write('drain-timeout: 3s\n'));
    expect(drains()).to.deep.equal([1000]);
  });
});

/** Changes a file, and waits until another one who watches it has noticed. */
async function noticed(file: string, change: () => Promise<void>): Promise<void> {
  let watch: ReturnType<typeof watchFiles> | undefined;
  const told = new Promise<void>((resolve) => (watch = watchFiles([file], resolve, watchEveryMs)));
  await change();
  await told;
  watch?.close();
}
