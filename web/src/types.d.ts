// What Python embeds in the page: the counterpart of src/hydra_callbacks/report. All texts are untrusted.

/** In columns of numbers, "nan", "inf" and "-inf" are texts. */
type Cell = string | number | boolean | null;
type Values = Record<string, Cell[]>;

interface Column {
  name: string;
  label: string;
  /** The label, or the end of it; the page adds this. */
  short?: string;
  kind: "number" | "category" | "text" | "boolean";
  role: "head" | "override" | "config" | "result" | "tail";
  is_log?: boolean;
}

interface Common {
  kind: "run" | "sweep" | "register";
  title: string;
  place: string;
  made_at: string;
  version: string;
  notes: string[];
  commands: { label: string; command: string }[];
}

interface Best {
  row: number;
  value: number;
  words: string | null;
  num: number | null;
}

interface Failure {
  type: string;
  message: string;
  rows: number[];
  /** Null where there is none, or no room for it in the page. */
  traceback: string | null;
  count: number;
}

interface Way {
  name: string;
  /** Whether the highest is best. */
  is_max: boolean;
  /** Whether that is told from the name. */
  is_guessed: boolean;
}

interface SweepData extends Common {
  kind: "sweep";
  app: string;
  status: string;
  started_at: string | null;
  ended_at: string | null;
  duration_s: number | null;
  counts: Record<string, number>;
  /** When each launch began, as `begins_s` tells it. */
  launches_s: number[];
  /** How long nothing ran between two launches: left out of `begins_s` and `duration_s`. */
  idle_s: number;
  /** By which the page was made; the candidates, among which it is, are what the reader may choose. */
  metric: (Way & { candidates: Way[] }) | null;
  best: Best | null;
  columns: Column[];
  /** "" is the job's number, and "run-status", "run-duration_s", "run-peak_rss_bytes" and "run-dir" tell the rest; those may be missing, but for the state. */
  values: Values;
  jobs: {
    link: (string | null)[];
    /** The overrides as they were given, ready to paste; null where they hold a secret, or are too long. */
    words: (string | null)[];
    /** Seconds since the start, without `idle_s`. */
    begins_s: (number | null)[];
    worker: (string | null)[];
    /** Which of `errors`. */
    error: (number | null)[];
  };
  errors: Failure[];
  importance: {
    method: string;
    n_jobs: number;
    is_enough: boolean;
    why_not: string | null;
    shares: { name: string; share: number }[];
  } | null;
}

interface Panel {
  title: string;
  unit: string;
  series: { name: string; values: (number | null)[] }[];
  mark: { value: number; label: string } | null;
}

interface Curves {
  time_s: number[];
  panels: Panel[];
  phases: { name: string; began_s: number; ended_s: number }[];
  n_samples: number;
  is_thinned: boolean;
}

interface RunData extends Common {
  kind: "run";
  app: string;
  status: string;
  started_at: string | null;
  ended_at: string | null;
  duration_s: number | null;
  num: number | null;
  attempt: number;
  host: string | null;
  sweep: { place: string; link: string | null } | null;
  overrides: string[];
  config: { key: string; value: string; is_overridden: boolean }[];
  result: { key: string; value: unknown }[];
  error: { type: string; message: string; traceback: string | null; why: string | null } | null;
  figures: { label: string; value: string; hint: string | null }[];
  curves: Curves | null;
  timers: { name: string; seconds: number }[];
  git: { facts: [string, string][]; patch: string | null; patch_is_cut: boolean; left_out: string[] } | null;
  environment: [string, string][];
  packages: [string, string][];
  console: { text: string; is_cut: boolean } | null;
  crash: string | null;
  artefacts: { path: string; bytes: number }[];
  /** Of all files, those that are not listed among them. */
  n_files: number;
  total_bytes: number;
  images: { path: string; uri: string; width: number; height: number }[];
}

interface RegisterData extends Common {
  kind: "register";
  columns: Column[];
  /** What is known of each run: "run-status" always, and perhaps "run-started", "run-duration_s", "run-app" and "run-dir". */
  values: Values;
  by_app: {
    app: string;
    n_runs: number;
    counts: Record<string, number>;
    hours: number;
    best: { row: number; name: string; is_max: boolean; value: number; words: string | null } | null;
  }[];
  runs: {
    link: (string | null)[];
    /** The absolute folder. */
    path: (string | null)[];
  };
}

type ReportData = SweepData | RunData | RegisterData;
