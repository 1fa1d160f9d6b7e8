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
  words: string;
  num: number | null;
}

interface Failure {
  type: string;
  message: string;
  rows: number[];
  traceback: string | null;
  count: number;
}

interface SweepData extends Common {
  kind: "sweep";
  app: string;
  status: string;
  started_at: string | null;
  ended_at: string | null;
  duration_s: number | null;
  counts: Record<string, number>;
  /** `is_guessed`: the way is told from the name. */
  metric: { name: string; is_max: boolean; is_guessed?: boolean; candidates: string[] } | null;
  best: Best | null;
  columns: Column[];
  values: Values;
  jobs: {
    num: (number | null)[];
    status: string[];
    dir: (string | null)[];
    link?: (string | null)[];
    /** The overrides as they were given, ready to paste. */
    words?: (string | null)[];
    begins_s: (number | null)[];
    duration_s: (number | null)[];
    worker: (string | null)[];
    peak_rss_bytes: (number | null)[];
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
  images: { path: string; uri: string; width: number; height: number }[];
}

interface RegisterData extends Common {
  kind: "register";
  columns: Column[];
  values: Values;
  by_app: {
    app: string;
    n_runs: number;
    counts: Record<string, number>;
    hours: number;
    best: { row: number; name: string; is_max: boolean; value: number; words: string } | null;
  }[];
  runs: {
    started_at: (string | null)[];
    status: string[];
    duration_s: (number | null)[];
    app: (string | null)[];
    dir: (string | null)[];
    link: (string | null)[];
  };
}

type ReportData = SweepData | RunData | RegisterData;
