/** Something that whoever runs synth can put right; the message says what, why and how, so no stack trace is shown. */
export class SynthError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}
