// What the page asks of the server that it came from.

const HEADER = "x-earproof-token";
const KEPT = "earproof-token"; // while this tab is open, so that it may be loaded again

// The token of the address, which is then taken out of it, so that no picture of the screen shows it.
function readToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEPT) ?? "";
}

let token = readToken();
let answered = false; // anything yet that was asked for
const whenNew: (() => void)[] = [];

// The address of a server that was started again differs behind its # alone: the browser loads nothing for it.
addEventListener("hashchange", () => {
  const before = token;
  token = readToken();
  if (!answered) location.reload(); // there is nothing on the page that would be lost
  else if (token !== before) whenNew.forEach((act) => act());
});

// Calls what is to be done once the address of a server that was started again is opened in this tab.
export function whenServerIsNew(act: () => void): void {
  whenNew.push(act);
}

// A file that the host does not have.
export class NotHere extends Error {}

// The server is gone, or cannot be reached now; what was asked for may come true later.
export class NoAnswer extends Error {}

// Asks for an address; an error says what the server said.
export async function ask(address: string, options: RequestInit = {}): Promise<Response> {
  const headers = { ...(options.headers as Record<string, string>), ...(token ? { [HEADER]: token } : {}) };
  let response: Response;
  try {
    response = await fetch(address, { ...options, headers });
  } catch {
    throw new NoAnswer(`the server does not answer; is earproof still running? ${whatToDo()}`);
  }
  if (response.ok) {
    answered = true;
    return response;
  }
  const said = (await response.text()).trim();
  const short = said.length < 1000 && !said.startsWith("<"); // a web host answers with a page of its own
  if (response.status === 404) throw new NotHere(short && said ? said : `this host does not have ${address}`);
  throw new Error(short && said ? said : `${address}: ${response.status} ${response.statusText}`);
}

function whatToDo(): string {
  if (!token) return "When it starts again it prints a new address";
  return `If not, start it again with --port ${location.port}, and open the address that it prints in this tab`;
}

export async function askFor<T>(address: string, options: RequestInit = {}): Promise<T> {
  const said = await (await ask(address, options)).text();
  try {
    return JSON.parse(said) as T;
  } catch {
    throw new NotHere(`this host answers with something else than ${address}`); // some have a page of their own for it
  }
}
