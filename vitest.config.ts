import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // A loaded machine is slow, not wrong: with ten times more work than processors, minutes pass for what takes seconds.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 300_000 } },
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
          // Builds, jobs and mirrors one after another.
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
