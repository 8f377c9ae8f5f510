/** A process that publishes events as fast as it can, until it is killed: `node publisher.ts <home>`. */
import { setImmediate } from 'node:timers/promises';
import { createEvents } from '../../../local/events.ts';
import { testCloud } from '../test-cloud.ts';
import { recordDeliveries, rule } from './recorded-deliveries.ts';

const cloud = testCloud(process.argv[2]);
cloud.now = () => new Date();
recordDeliveries(cloud);
const events = createEvents(cloud, { chaos: '' });
await events.deploy?.([rule]);
await events.start?.();
for (let n = 0; ; n += 1) {
  const id = events.publish({ source: 'test', 'detail-type': 'Counted', detail: { n } });
  process.stdout.write(`${id}\n`);
  if (n % 20 === 0) await setImmediate();
}
