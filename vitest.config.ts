import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Real engines answer in seconds, not milliseconds.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // A loaded machine is slow, not wrong.
    expect: { poll: { timeout: 30_000 } },
    // Two cores: more files at once only make each other late.
    maxWorkers: 2,
    pool: 'forks',
    projects: [
      // `include` here and not above: projects add to what they extend, and e2e would run everything twice.
      { extends: true, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**'] } },
      // One embedded cloud and one container engine: files run one after the other.
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: 'test/e2e/setup.ts',
          testTimeout: 400_000,
          // What a file prepares is built as well, and where nothing is cached yet.
          hookTimeout: 400_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
