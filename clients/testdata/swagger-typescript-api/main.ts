import assert from "node:assert/strict";
import * as elw from "./elw";
import * as lochting from "./lochting";
import * as native from "./native";

const env = process.env as Record<string, string>;
const withAuthorization = (Authorization: string) => ({
  baseUrl: env.URL,
  securityWorker: () => ({ headers: { Authorization } }),
});

{
  const api = new native.Api(withAuthorization(`Bearer ${env.KEY}`)).v1;
  const update = async (patch: native.CustomerPatch) => (await api.updateCustomer(env.NATIVE, patch)).data;
  const customer = (await api.getCustomer(env.NATIVE)).data;
  assert.deepEqual([customer.kind, customer.phone, customer.address.city], ["organisation", "11223344", "Oslo"]);
  await update({ phone: "22334455", address: { city: "Bergen" } });
  await update({ email: "kari@example.com" });
  assert.equal((await update({ phone: null })).phone, null);
}
{
  const { api } = new elw.Api(withAuthorization(`Basic ${btoa(`${env.LOGIN}:${env.PASSWORD}`)}`));
  const number = Number(env.ELW);
  const update = async (change: elw.CustomerUpdate) => (await api.updateCustomer(number, change)).data;
  assert.equal((await api.getCustomer(number)).data.PhoneNumber, "11223344");
  await update({ PhoneNumber: "22334455" });
  await update({ Email: "kari@example.com" });
  assert.equal((await update({ PhoneNumber: null })).PhoneNumber, "22334455");
  assert.equal((await update({ PhoneNumber: "" })).PhoneNumber, null);
}
{
  const api = new lochting.Api(withAuthorization(env.KEY)).public;
  const get = async () => (await api.getCustomer(env.LOCHTING)).data;
  const { firstName, lastName, locale, emailAddress, gender, country, phoneNumber } = await get();
  assert.equal(phoneNumber, "11223344");
  const same = { firstName, lastName, locale, emailAddress, gender, country } as lochting.CustomerUpdate;
  const update = (change: Partial<lochting.CustomerUpdate>) =>
    api.updateCustomer(env.LOCHTING, { ...same, ...change });
  await update({ phoneNumber: "22334455" });
  await update({ city: "Brugge" });
  await update({ phoneNumber: null });
  assert.equal((await get()).phoneNumber, null);
}
