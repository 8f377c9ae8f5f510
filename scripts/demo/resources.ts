/** The fields of the API's answers that the demo reads. */
export interface Page<T> {
  items: T[];
  nextCursor?: string;
}

/** A page of a log or a timeline; `complete`: nothing more will come. */
export interface Followed<T> extends Page<T> {
  complete: boolean;
}

export interface Me {
  email: string;
  organisation: { id: string; title: string };
}

export interface Registry {
  id: string;
  title: string;
  url: string;
  type: string;
  visibility: 'public' | 'private';
}

export interface Image {
  id: string;
  repository: string;
  tag: string;
  uri: string;
  digest?: string;
  sizeBytes?: number;
  status: string;
  currentBuild?: { id: string; status: string; cached: boolean };
}

export interface Build {
  id: string;
  status: string;
  uri: string;
  digest?: string;
  durationSeconds?: number;
  failure?: { code: string; message: string; step?: string; lastLines?: string[] };
}

export interface Experiment {
  id: string;
  status: string;
  statusReason?: { code: string; message: string };
  image: { requested: string; rule: string; uri: string; digest: string };
  exitCode?: number;
}

export interface LogLine {
  time: string;
  stream: string;
  text: string;
}

export interface TimelineEvent {
  time: string;
  code: string;
  message: string;
  durationMs?: number;
}
