"""Where this machine's clock is 20 minutes ahead of the platform's."""

import time
from email.utils import parsedate_to_datetime

from clients import ClientTest, lambda_client


class Clock(ClientTest):
    def test_the_refusal_tells_the_time(self):
        error = self.refusal(lambda_client(attempts=3).list_functions)
        self.assert_refused(error, "InvalidSignatureException", 403)
        self.assertTrue(error.response["Error"]["Message"].startswith("Signature not yet current: "))
        told = parsedate_to_datetime(error.response["ResponseMetadata"]["HTTPHeaders"]["date"])
        self.assertAlmostEqual(told.timestamp(), time.time() - 20 * 60, delta=120)
