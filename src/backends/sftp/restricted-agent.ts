import type { BaseAgent, IdentityCallback, ParsedKey } from 'ssh2';
import { ssh2 } from './ssh2.js';

/**
 * An agent that offers only some keys of another one, as IdentitiesOnly demands: servers allow few attempts.
 *
 * @param offered the public keys to offer, in wire format
 */
export function restrictedAgent(agent: BaseAgent, offered: readonly Buffer[]): BaseAgent {
  const { BaseAgent, utils } = ssh2();

  const isOffered = (key: unknown): boolean => {
    const parsed = utils.parseKey(key as ParsedKey);
    return !(parsed instanceof Error) && offered.some((one) => one.equals(parsed.getPublicSSH()));
  };

  return new (class extends BaseAgent {
    override sign = agent.sign.bind(agent);

    override getIdentities(callback: IdentityCallback): void {
      agent.getIdentities((error, keys) => {
        if (error) callback(error);
        else callback(null, (keys ?? []).filter(isOffered));
      });
    }
  })();
}
