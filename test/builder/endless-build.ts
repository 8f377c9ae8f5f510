/** A build in a process of its own, which runs until it is killed. */
import { whileBuilding } from '../../builder/shared-images.ts';

const [, , folder = ''] = process.argv;
await whileBuilding(folder, 'endless:1', () => {
  process.send?.('building');
  return new Promise((done) => setTimeout(done, 3_600_000));
});
