import assert from "node:assert/strict";
import * as elw from "./elw";
import * as lochting from "./lochting";
import * as native from "./native";

const env = process.env as Record<string, string>;

{
  const api = new native.CustomersApi(new native.Configuration({ basePath: env.URL, accessToken: env.KEY }));
  const ref = env.NATIVE;
  const update = (customerPatch: native.CustomerPatch) => api.updateCustomer({ ref, customerPatch });
  const customer = await api.getCustomer({ ref });
  assert.deepEqual([customer?.kind, customer?.phone, customer?.address.city], ["organisation", "11223344", "Oslo"]);
  await update({ phone: "22334455", address: { city: "Bergen" } });
  await update({ email: "kari@example.com" });
  assert.equal((await update({ phone: null }))?.phone, null);
}
{
  const configuration = new elw.Configuration({ basePath: env.URL, username: env.LOGIN, password: env.PASSWORD });
  const api = new elw.CustomersApi(configuration);
  const customerId = Number(env.ELW);
  const update = (customerUpdate: elw.CustomerUpdate) => api.updateCustomer({ customerId, customerUpdate });
  assert.equal((await api.getCustomer({ customerId })).phoneNumber, "11223344");
  await update({ phoneNumber: "22334455" });
  await update({ email: "kari@example.com" });
  assert.equal((await update({ phoneNumber: null })).phoneNumber, "22334455");
  assert.equal((await update({ phoneNumber: "" })).phoneNumber, null);
}
{
  const api = new lochting.CustomerApi(new lochting.Configuration({ basePath: env.URL, apiKey: env.KEY }));
  const customerId = env.LOCHTING;
  const { firstName, lastName, locale, emailAddress, gender, country, phoneNumber } = await api.getCustomer({ customerId });
  assert.equal(phoneNumber, "11223344");
  const same = { firstName, lastName, locale, emailAddress, gender, country } as lochting.CustomerUpdate;
  const update = (change: Partial<lochting.CustomerUpdate>) =>
    api.updateCustomer({ customerId, customerUpdate: { ...same, ...change } });
  await update({ phoneNumber: "22334455" });
  await update({ city: "Brugge" });
  await update({ phoneNumber: null });
  assert.equal((await api.getCustomer({ customerId })).phoneNumber, null);
}
