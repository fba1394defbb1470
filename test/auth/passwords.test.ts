import { expect } from 'chai';
import { compareSync, hashSync } from 'bcryptjs';
import { bcryptCost, type Htpasswd } from '../../src/auth/htpasswd.js';
import { Passwords } from '../../src/auth/passwords.js';
import { FakeClock } from './fake-clock.js';

const htpasswd: Htpasswd = {
  entries: new Map([
    ['ann', hashSync('secret', 5)],
    ['bob', hashSync('secret', 5)],
  ]),
};

describe('Passwords', () => {
  let clock: FakeClock;
  let compared: { password: string; hash: string }[];
  let passwords: Passwords;

  const open = (file = htpasswd): Passwords =>
    new Passwords({
      htpasswd: file,
      now: clock.now,
      compare: async (password, hash) => {
        compared.push({ password, hash });
        return compareSync(password, hash);
      },
    });

  beforeEach(() => {
    clock = new FakeClock();
    compared = [];
    passwords = open();
  });

  const remembers = (name: string, password: string): boolean =>
    passwords.isRemembered(passwords.fingerprint(name, password));

  it('tells right from wrong', async () => {
    expect(await passwords.check('ann', 'secret')).to.equal(true);
    expect(await passwords.check('ann', 'Secret')).to.equal(false);
    expect(await passwords.check('cyd', 'secret')).to.equal(false);
  });

  it('remembers a right password for a minute, and no longer', async () => {
    await passwords.check('ann', 'secret');
    await clock.pass(60_000);
    expect(remembers('ann', 'secret')).to.equal(true);
    expect(await passwords.check('ann', 'secret')).to.equal(true);
    expect(compared).to.have.length(1);
    await clock.pass(1);
    expect(remembers('ann', 'secret')).to.equal(false);
    expect(await passwords.check('ann', 'secret')).to.equal(true);
    expect(compared).to.have.length(2);
  });

  it('remembers neither wrong passwords nor the same password of another name', async () => {
    await passwords.check('ann', 'wrong');
    await passwords.check('ann', 'secret');
    expect(remembers('ann', 'wrong')).to.equal(false);
    expect(remembers('bob', 'secret')).to.equal(false);
  });

  it('keeps what only it can tell the password by', () => {
    const [one, other] = [passwords, open()].map((each) => each.fingerprint('ann', 'secret'));
    expect(one)
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.equal(other);
  });

  it('remembers nothing of an earlier file', async () => {
    await passwords.check('ann', 'secret');
    const fingerprint = passwords.fingerprint('ann', 'secret');
    passwords = open({ entries: new Map() });
    expect(passwords.isRemembered(fingerprint)).to.equal(false);
    expect(remembers('ann', 'secret')).to.equal(false);
    expect(await passwords.check('ann', 'secret')).to.equal(false);
  });

  it('counts a repeated check as the latest', async () => {
    passwords = new Passwords({ htpasswd, now: clock.now, compare: async () => true });
    await passwords.check('ann', 'again');
    await passwords.check('ann', 'once');
    await clock.pass(60_000);
    await passwords.check('ann', 'again');
    for (let i = 1; i < 10_000; i++) await passwords.check('ann', String(i));
    expect(remembers('ann', 'again')).to.equal(true);
  });

  it('forgets the oldest when there are very many', async () => {
    passwords = new Passwords({ htpasswd, now: clock.now, compare: async () => true });
    for (let i = 0; i <= 10_000; i++) await passwords.check('ann', String(i));
    expect(remembers('ann', '0')).to.equal(false);
    expect(remembers('ann', '1')).to.equal(true);
    expect(remembers('ann', '10000')).to.equal(true);
  });

  it('checks once what comes several times at once', async () => {
    const answers = await Promise.all(
      ['secret', 'secret', 'wrong', 'secret'].map((text) => passwords.check('ann', text)),
    );
    expect(answers).to.deep.equal([true, true, false, true]);
    expect(compared.map(({ password }) => password)).to.deep.equal(['secret', 'wrong']);
  });

  it('does the same work for a name that is not there, with a hash of the same cost', async () => {
    await passwords.check('ann', 'wrong');
    await passwords.check('cyd', 'wrong');
    const [known, unknown] = compared.map(({ hash }) => hash);
    expect(unknown).to.have.length(known?.length ?? 0);
    expect(bcryptCost(unknown ?? '')).to.equal(5);
  });

  it('gives names that are not there the costs that are there, each always the same', async () => {
    passwords = open({
      entries: new Map([
        ['ann', hashSync('secret', 4)],
        ['bob', hashSync('secret', 5)],
      ]),
    });
    const costs = new Set<number | undefined>();
    for (let i = 0; i < 40; i++) {
      compared = [];
      await passwords.check(`name ${i}`, 'one');
      await passwords.check(`name ${i}`, 'two');
      const [one, two] = compared.map(({ hash }) => bcryptCost(hash));
      expect(one).to.equal(two);
      costs.add(one);
    }
    expect([...costs].sort()).to.deep.equal([4, 5]);
  });

  it('never accepts the dummy hash of unknown names', async () => {
    passwords = new Passwords({ htpasswd, now: clock.now, compare: async () => true });
    expect(await passwords.check('cyd', 'whatever')).to.equal(false);
    expect(remembers('cyd', 'whatever')).to.equal(false);
  });
});
