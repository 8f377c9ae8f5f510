import type { BuildCompute, Stage } from '../model/stage.ts';

/** Computes that build, in the order of the stage configuration. */
export const buildComputes = (stage: Stage): BuildCompute[] =>
  stage.computes.filter((one): one is BuildCompute => one.use === 'build');

export const buildCompute = (stage: Stage, name: string): BuildCompute | undefined =>
  buildComputes(stage).find((one) => one.name === name);
