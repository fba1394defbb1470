import { expect } from 'chai';
import type { Damage, OtherCopy } from '../../../src/integrity/verify-report.js';
import { damageText, mirrorDamageText } from '../../../src/server/upkeep/damage-text.js';
import { randomMac } from '../../support/objects.js';

const copies = { name: 'blue', location: '/srv/blue', mirror: 'sftp://elsewhere/blue' };

function damaged(otherCopy?: OtherCopy): Damage {
  return {
    ref: { kind: 'packfile', mac: randomMac() },
    problem: 'size',
    text: 'has 52 bytes instead of 100',
    otherCopy,
  };
}

describe('What is told of damaged objects', () => {
  it('is which they are, and a command that mends those of which the mirror has a good copy', () => {
    const [good, bad] = [damaged('proven'), damaged('bad')];
    expect(damageText([good], copies)).to.equal(
      `an object of blue is damaged: packfile ${good.ref.mac} has 52 bytes instead of 100. This mends it: ` +
        `\`kloset-gateway repair /srv/blue --from sftp://elsewhere/blue --mac ${good.ref.mac} --apply\``,
    );
    expect(damageText([good, bad], copies))
      .to.match(/^2 objects of blue are damaged: .* This mends them, as far as the mirror has them: /)
      .and.not.include(`--mac ${bad.ref.mac}`);
    expect(damageText([bad], copies)).to.match(/The mirror doesn't have it either, or not whole$/);
    expect(damageText([damaged('unsure')], copies)).to.match(/Neither copy is known to be right$/);
  });

  it('has the configuration file in the command, by which the two copies are opened', () => {
    const [one, configFile] = [damaged('proven'), '/etc/kloset gateway.yaml'];
    const option = " --config '/etc/kloset gateway.yaml' ";
    expect(damageText([one], { ...copies, configFile })).to.include(`blue${option}--mac ${one.ref.mac} --apply`);
    expect(mirrorDamageText([one], { ...copies, configFile })).to.include(option);
    expect(damageText([one], { ...copies, mirror: undefined, configFile })).to.include(option.trim());
    const elsewhere = { ...copies, mirror: 'grpcs://second.example.org:9878/blue', configFile };
    expect(mirrorDamageText([one], elsewhere)).to.not.include('--config');
  });

  it('names five at most, and no more than twenty in the command', () => {
    const many = Array.from({ length: 30 }, () => damaged('likely'));
    expect(damageText(many, copies)).to.match(/; and 25 more\. .*--from sftp:\/\/elsewhere\/blue --apply`$/);
    expect(damageText(many.slice(0, 20), copies).match(/--mac/g)).to.have.length(20);
  });

  it('says how to find another copy where there is no mirror', () => {
    expect(damageText([damaged()], { ...copies, mirror: undefined })).to.match(
      /It has no mirror; with another copy, `kloset-gateway verify \/srv\/blue --against LOCATION` says how to mend it$/,
    );
  });

  it('has a command for the machine that keeps the damaged copy, where that is at another gateway', () => {
    const one = damaged('proven');
    const elsewhere = { ...copies, mirror: 'grpcs://second.example.org:9878/blue' };
    expect(mirrorDamageText([one], elsewhere)).to.match(
      new RegExp(
        'This mends it, on the machine that keeps grpcs://second\\.example\\.org:9878/blue, where LOCATION is the copy ' +
          `there and OTHER this one: \`kloset-gateway repair LOCATION --from OTHER --mac ${one.ref.mac} --apply\`$`,
      ),
    );
  });

  it('names no command for objects of the mirror that the store does not have whole for certain', () => {
    const [good, unsure] = [damaged('likely'), damaged('unsure')];
    expect(mirrorDamageText([good, unsure], copies)).to.not.include(`--mac ${unsure.ref.mac}`);
    expect(mirrorDamageText([unsure], copies)).to.match(/has no copy of it that is known to be right$/);
  });

  it('is the same the other way round for objects of the mirror', () => {
    const one = damaged('proven');
    expect(mirrorDamageText([one], copies)).to.match(/^an object in the mirror of blue is damaged: /);
    expect(mirrorDamageText([one], copies)).to.include(
      `\`kloset-gateway repair sftp://elsewhere/blue --from /srv/blue --mac ${one.ref.mac} --apply\``,
    );
  });
});
