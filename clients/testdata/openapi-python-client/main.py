import os

import elw
import lochting
import native
from elw.api.customers import get_customer as elw_get, update_customer as elw_update
from elw.models import CustomerResponse, CustomerUpdate as ElwUpdate
from lochting.api.customer import get_customer as lochting_get, update_customer as lochting_update
from lochting.models import Country, CustomerUpdate as LochtingUpdate, Gender, Locale
from native.api.customers import get_customer, update_customer
from native.models import AddressPatchType0, Customer, CustomerPatch

env = os.environ


def expect(result, kind):
    assert isinstance(result, kind), result
    return result


client, ref = native.AuthenticatedClient(base_url=env["URL"], token=env["KEY"]), env["NATIVE"]
customer = expect(get_customer.sync(ref, client=client), Customer)
assert (customer.kind, customer.phone, customer.address.city) == ("organisation", "11223344", "Oslo")
for patch in (
    CustomerPatch(phone="22334455", address=AddressPatchType0(city="Bergen")),
    CustomerPatch(email="kari@example.com"),
    CustomerPatch(phone=None),
):
    customer = expect(update_customer.sync(ref, client=client, body=patch), Customer)
assert (customer.phone, customer.email) == (None, "kari@example.com")

login = elw.Client(base_url=env["URL"], httpx_args={"auth": (env["LOGIN"], env["PASSWORD"])})
number = int(env["ELW"])
assert expect(elw_get.sync(number, client=login), CustomerResponse).phone_number == "11223344"
for change, phone in (
    (ElwUpdate(phone_number="22334455"), "22334455"),
    (ElwUpdate(email="kari@example.com"), "22334455"),
    (ElwUpdate(phone_number=None), "22334455"),
    (ElwUpdate(phone_number=""), None),
):
    assert expect(elw_update.sync(number, client=login, body=change), CustomerResponse).phone_number == phone

partner = lochting.AuthenticatedClient(base_url=env["URL"], token=env["KEY"], prefix="")
id = env["LOCHTING"]
customer = lochting_get.sync(id, client=partner)
assert customer.phone_number == "11223344"
same = {
    "first_name": customer.first_name,
    "last_name": customer.last_name,
    "locale": Locale(customer.locale),
    "email_address": customer.email_address,
    "gender": Gender(customer.gender),
    "country": Country(customer.country),
}
for change in ({"phone_number": "22334455"}, {"city": "Brugge"}, {"phone_number": None}):
    response = lochting_update.sync_detailed(id, client=partner, body=LochtingUpdate(**same, **change))
    assert response.status_code == 200, response
assert lochting_get.sync(id, client=partner).phone_number is None
