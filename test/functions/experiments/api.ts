/** The API of experiments on real engines, as its users call it. */
import { afterAll, beforeAll } from 'vitest';
import { experimentStartOperations } from '../../../functions/experiment-starts/operations.ts';
import { experimentOperations } from '../../../functions/experiments/operations.ts';
import { serve } from '../../../shared/http/serve.ts';
import { createIdempotency } from '../../../shared/store/idempotency.ts';
import { type Call, call, memoryLog } from '../event.ts';
import { join } from '../joined.ts';
import { experimentsPlace, type Place } from './place.ts';

/** As in the contract. */
export const all = '/v1/experiments';
export const one = '/v1/experiments/{id}';

/** For the tests of one file: a place, an image in it, and who asks there. */
export function experimentsApi() {
  let place: Place;
  let tiny: string;
  let handler: ReturnType<typeof serve>;
  beforeAll(async () => {
    place = await experimentsPlace();
    tiny = await place.publish('tiny');
    await join(place.table);
    const log = memoryLog();
    const operations = [
      ...experimentOperations({ ...place, log }),
      ...experimentStartOperations({ ...place, log }, () =>
        Promise.reject(new Error('nothing is built here')),
      ),
    ];
    handler = serve(operations, {
      now: () => new Date(),
      table: place.table,
      idempotency: createIdempotency(place.table),
      log,
    });
  });
  afterAll(() => place.close());

  const ask = (method: string, route: string, more: Partial<Call> = {}) =>
    call(handler, { method, route, ...more });
  const create = (body: object, query?: Record<string, string>, headers?: Record<string, string>) =>
    ask('POST', all, { body, ...(query ? { query } : {}), ...(headers ? { headers } : {}) });
  return {
    place: () => place,
    tiny: () => tiny,
    ask,
    create,
    /** Creates it, and doesn't start it. */
    store: (body: object) => create({ image: tiny, ...body }, { start: 'false' }),
  };
}
