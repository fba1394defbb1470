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

/** Longer than the ticks in which file systems tell times. */
const watchEveryMs = 20;

describe('Reloader', () => {
  let folder: string;
  let file: string;
  let reloader: Reloader | undefined;
  /** The configurations that the gateway was to take on. */
  let taken: Config[];
  let inForce: Loaded[];
  let log: LogLine[];
  /** What the gateway does with one. */
  let take: (config: Config) => Promise<void>;
  /** What the gateway read beside the configuration. */
  let gatewayFiles: string[];

  beforeEach(async () => {
    folder = await tempFolder();
    file = join(folder, 'gateway.yaml');
    [taken, inForce, log, gatewayFiles] = [[], [], [], []];
    take = () => Promise.resolve();
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
      reload: async (config: Config) => {
        taken.push(config);
        await take(config);
      },
    };
    reloader = new Reloader({
      load,
      configFiles: [file],
      gateway,
      inForce: (loaded) => inForce.push(loaded),
      log: { info: logger('info'), warn: logger('warn'), error: logger('error') },
      watchEveryMs,
    });
    return reloader;
  }

  /** Replaces the file at one go. */
  async function write(text: string): Promise<void> {
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  const drains = (): number[] => taken.map(({ drainMs }) => drainMs);

  it('takes on what the file has now, and tells its warnings', async () => {
    await write('drain-timeout: 5s\n');
    const own = await start();
    await own.reload();
    await write('drain-timeout: 7s\nlog-level: warn\nlisten: ":9876"\n');
    await own.reload();
    expect(drains()).to.deep.equal([5000, 7000]);
    expect(inForce.map(({ config }) => config.logLevel)).to.deep.equal(['info', 'warn']);
    expect(log.map(({ level }) => level))
      .to.include('warn')
      .and.not.include('error');
  });

  it('reports all that is wrong with a new file, each problem with its line, and leaves the gateway alone', async () => {
    await write('drain-timeout: 5s\n');
    const own = await start();
    await write('drain-timeout: never\nlog-level: loud\nallow-writes: true\n');
    await own.reload();
    expect(taken).to.deep.equal([]);
    expect(inForce).to.deep.equal([]);
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
    expect(messages.at(-1)).to.equal('the new configuration is not taken on: the old one stays in force');
  });

  it('reports what the gateway can not take on, and a file that is gone, and tries again when asked', async () => {
    await write('drain-timeout: 5s\n');
    const own = await start();
    take = () => Promise.reject(new Error("can't listen on :9876: EADDRINUSE"));
    await own.reload();
    expect(inForce).to.deep.equal([]);
    expect(log.map(({ message }) => message)).to.deep.equal([
      "can't listen on :9876: EADDRINUSE",
      'the new configuration is not taken on: the old one stays in force',
    ]);
    await unlink(file);
    await own.reload();
    expect(log.at(-2)?.message).to.include(`${file}: it can't be read: ENOENT`);
    take = () => Promise.resolve();
    await write('drain-timeout: 6s\n');
    await own.reload();
    expect(inForce.map(({ config }) => config.drainMs)).to.deep.equal([6000]);
  });

  it('takes one on after the other, in the order in which it was asked', async () => {
    await write('drain-timeout: 1s\n');
    const own = await start();
    let atOnce = 0;
    let most = 0;
    take = async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
    };
    await Promise.all([own.reload(), own.reload(), own.reload()]);
    expect(most).to.equal(1);
    expect(taken).to.have.length(3);
  });

  it('notices when the file changes, also after a bad one, and when one of the gateway changes', async () => {
    gatewayFiles = [join(folder, 'cert.pem')];
    await write('drain-timeout: 1s\n');
    await start();
    await write('drain-timeout: 2s\n');
    await eventually(async () => drains().includes(2000), 'the change is taken on');
    await write('drain-timeout: wrong\n');
    await eventually(async () => log.length > 0, 'the problem is reported');
    await write('drain-timeout: 3s\n');
    await eventually(async () => drains().includes(3000), 'the next change is taken on');
    const before = taken.length;
    await writeFile(join(folder, 'cert.pem'), 'another one');
    await eventually(async () => taken.length > before, 'the certificate is taken on');
  });

  it('ends what is under way before it is closed, and begins nothing after that', async () => {
    await write('drain-timeout: 1s\n');
    const own = await start();
    let ended = false;
    take = async () => {
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
