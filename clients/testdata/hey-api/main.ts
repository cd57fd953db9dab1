import assert from "node:assert/strict";
import * as elw from "./elw";
import { client as elwClient } from "./elw/client.gen";
import * as lochting from "./lochting";
import { client as lochtingClient } from "./lochting/client.gen";
import * as native from "./native";
import { client as nativeClient } from "./native/client.gen";

const env = process.env as Record<string, string>;

{
  nativeClient.setConfig({ baseUrl: env.URL, auth: env.KEY, throwOnError: true });
  const path = { ref: env.NATIVE };
  const update = async (body: native.CustomerPatch) => (await native.updateCustomer({ path, body })).data;
  const customer = (await native.getCustomer({ path })).data;
  assert.deepEqual([customer?.kind, customer?.phone, customer?.address.city], ["organisation", "11223344", "Oslo"]);
  await update({ phone: "22334455", address: { city: "Bergen" } });
  await update({ email: "kari@example.com" });
  assert.equal((await update({ phone: null }))?.phone, null);
}
{
  elwClient.setConfig({ baseUrl: env.URL, auth: `${env.LOGIN}:${env.PASSWORD}`, throwOnError: true });
  const path = { customerId: Number(env.ELW) };
  const update = async (body: elw.CustomerUpdate) => (await elw.updateCustomer({ path, body })).data;
  assert.equal((await elw.getCustomer({ path })).data?.PhoneNumber, "11223344");
  await update({ PhoneNumber: "22334455" });
  await update({ Email: "kari@example.com" });
  assert.equal((await update({ PhoneNumber: null }))?.PhoneNumber, "22334455");
  assert.equal((await update({ PhoneNumber: "" }))?.PhoneNumber, null);
}
{
  lochtingClient.setConfig({ baseUrl: env.URL, auth: env.KEY, throwOnError: true });
  const path = { customerId: env.LOCHTING };
  const get = async () => (await lochting.getCustomer({ path })).data as lochting.Customer;
  const { firstName, lastName, locale, emailAddress, gender, country, phoneNumber } = await get();
  assert.equal(phoneNumber, "11223344");
  const same = { firstName, lastName, locale, emailAddress, gender, country } as lochting.CustomerUpdate;
  const update = (change: Partial<lochting.CustomerUpdate>) =>
    lochting.updateCustomer({ path, body: { ...same, ...change } });
  await update({ phoneNumber: "22334455" });
  await update({ city: "Brugge" });
  await update({ phoneNumber: null });
  assert.equal((await get()).phoneNumber, null);
}
