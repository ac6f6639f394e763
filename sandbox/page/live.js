// A live copy of the workspace's state: everything first, then every change.

export class Live {
  constructor(onChange) {
    this.tables = {};
    this.onChange = onChange;
    this.connect();
  }

  table(kind) {
    return this.tables[kind] ?? {};
  }

  get(kind, key) {
    return this.table(kind)[key];
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/sandbox/live`);
    socket.onmessage = ({ data }) => this.apply(JSON.parse(data));
    socket.onclose = () => {
      this.onChange(new Set(["offline"]));
      setTimeout(() => this.connect(), 800);
    };
  }

  apply(change) {
    if (change.tables) {
      this.tables = change.tables;
      this.onChange(new Set(["everything"]));
      return;
    }
    const table = (this.tables[change.kind] ??= {});
    if (change.value === null) delete table[change.key];
    else table[change.key] = change.value;
    this.onChange(new Set([change.kind]));
  }
}
