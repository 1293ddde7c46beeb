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

const token = readToken();

// A file that the host does not have.
export class NotHere extends Error {}

// Asks for an address; an error says what the server said.
export async function ask(address: string, options: RequestInit = {}): Promise<Response> {
  const headers = { ...(options.headers as Record<string, string>), ...(token ? { [HEADER]: token } : {}) };
  let response: Response;
  try {
    response = await fetch(address, { ...options, headers });
  } catch {
    throw new Error("the server does not answer; is earproof still running? When it starts again it prints a new address");
  }
  if (response.ok) return response;
  const said = (await response.text()).trim();
  const short = said.length < 1000 && !said.startsWith("<"); // a web host answers with a page of its own
  if (response.status === 404) throw new NotHere(short && said ? said : `this host does not have ${address}`);
  throw new Error(short && said ? said : `${address}: ${response.status} ${response.statusText}`);
}

export async function askFor<T>(address: string, options: RequestInit = {}): Promise<T> {
  const said = await (await ask(address, options)).text();
  try {
    return JSON.parse(said) as T;
  } catch {
    throw new NotHere(`this host answers with something else than ${address}`); // some have a page of their own for it
  }
}
