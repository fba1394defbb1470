import type { Logger } from '../lib/logger.js';
import type { NotifyConfig } from '../config/types.js';
import { Mail } from './mail.js';
import type { Target } from './target.js';
import { Webhook } from './webhook.js';

/** Where a configuration sends events. Their keys are unique. */
export function targetsOf({ webhooks, mail }: NotifyConfig, log: Pick<Logger, 'warn'>): readonly Target[] {
  const sameUrl = (i: number): number => webhooks.slice(0, i).filter(({ url }) => url === webhooks[i]?.url).length;
  return [
    ...webhooks.map((each, i) => new Webhook(each, sameUrl(i))),
    ...(mail === undefined ? [] : [new Mail(mail, log)]),
  ];
}
