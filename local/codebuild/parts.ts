/** What builds, and what clears up behind them, work with. */
import type { Engine } from '../engine/engine.ts';
import type { EngineWatch } from '../engine/watch.ts';
import type { Cloud } from '../platform.ts';
import type { BuildStore } from './store.ts';

export interface WorkerParts {
  cloud: Cloud;
  store: BuildStore;
  /** The engine that the build's own commands use, where there is one. */
  engine?: Engine;
  engineWatch?: EngineWatch;
}
