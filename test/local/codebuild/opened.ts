import { afterEach } from 'vitest';
import { cloudWithProject } from './project.ts';

/** For the tests of one file: what opens a cloud with a project for a test. The last one is closed when the test is over. */
export function cloudForEach() {
  let current: Awaited<ReturnType<typeof cloudWithProject>> | undefined;
  afterEach(async () => {
    await current?.cloud.close();
    current = undefined;
  });
  return async (...parameters: Parameters<typeof cloudWithProject>) => {
    current = await cloudWithProject(...parameters);
    return current;
  };
}
