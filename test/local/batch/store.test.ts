import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBatchStore } from '../../../local/batch/store.ts';
import { type TestCloud, testCloud } from '../test-cloud.ts';

let cloud: TestCloud;
beforeEach(() => {
  cloud = testCloud();
});
afterEach(() => cloud.remove());

test.each([[[]], [['a']], [['a', 'c']], [['x']]])(
  'how far logs were taken over is kept of the tasks under way: %j',
  (underWay: string[]) => {
    const store = createBatchStore(cloud.db);
    for (const task of ['a', 'b', 'c']) store.setLogPosition(task, task);
    store.keepLogPositions(underWay);
    const kept = ['a', 'b', 'c'].filter((task) => store.logPosition(task) !== undefined);
    expect(kept).toEqual(underWay.filter((task) => task !== 'x'));
  },
);
