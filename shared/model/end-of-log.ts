/** Last line that the builder writes: what follows in the log stream is not the build's. */
export const endOfLog = '[slipway] end of log';
