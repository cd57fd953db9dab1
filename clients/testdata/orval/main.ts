import assert from "node:assert/strict";
import * as elw from "./elw";
import * as lochting from "./lochting";
import * as native from "./native";

const env = process.env as Record<string, string>;
const customerOf = (response: { status: number; data: unknown }): unknown => {
  assert.equal(response.status, 200);
  return response.data;
};

{
  // Orval sends no Content-Type for an operation with several media types.
  const options = { headers: { Authorization: `Bearer ${env.KEY}`, "Content-Type": "application/merge-patch+json" } };
  const update = async (patch: native.CustomerPatch) =>
    customerOf(await native.updateCustomer(env.NATIVE, patch, {}, options)) as native.Customer;
  const customer = customerOf(await native.getCustomer(env.NATIVE, {}, options)) as native.Customer;
  assert.deepEqual([customer.kind, customer.phone, customer.address.city], ["organisation", "11223344", "Oslo"]);
  await update({ phone: "22334455", address: { city: "Bergen" } });
  await update({ email: "kari@example.com" });
  assert.equal((await update({ phone: null })).phone, null);
}
{
  const options = { headers: { Authorization: `Basic ${btoa(`${env.LOGIN}:${env.PASSWORD}`)}` } };
  const update = async (change: elw.CustomerUpdate) =>
    customerOf(await elw.updateCustomer(Number(env.ELW), change, options)) as elw.CustomerResponse;
  const customer = customerOf(await elw.getCustomer(Number(env.ELW), options)) as elw.CustomerResponse;
  assert.equal(customer.PhoneNumber, "11223344");
  await update({ PhoneNumber: "22334455" });
  await update({ Email: "kari@example.com" });
  assert.equal((await update({ PhoneNumber: null })).PhoneNumber, "22334455");
  assert.equal((await update({ PhoneNumber: "" })).PhoneNumber, null);
}
{
  const options = { headers: { Authorization: env.KEY } };
  const get = async () => customerOf(await lochting.getCustomer(env.LOCHTING, options)) as lochting.Customer;
  const { firstName, lastName, locale, emailAddress, gender, country, phoneNumber } = await get();
  assert.equal(phoneNumber, "11223344");
  const same = { firstName, lastName, locale, emailAddress, gender, country } as lochting.CustomerUpdate;
  const update = async (change: Partial<lochting.CustomerUpdate>) =>
    customerOf(await lochting.updateCustomer(env.LOCHTING, { ...same, ...change }, options));
  await update({ phoneNumber: "22334455" });
  await update({ city: "Brugge" });
  await update({ phoneNumber: null });
  assert.equal((await get()).phoneNumber, null);
}
