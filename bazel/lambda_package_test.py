"""A package runs as Lambda would run it, from wherever it is: lambda_package_test.py PACKAGE.zip"""

import os
import re
import subprocess
import sys
import unittest
import zipfile

PACKAGE = sys.argv.pop(1)


def unpack(folder):
    with zipfile.ZipFile(PACKAGE) as package:
        for info in package.infolist():
            os.chmod(package.extract(info, folder), info.external_attr >> 16)


class LambdaPackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.join(os.environ["TEST_TMPDIR"], "task")
        unpack(cls.folder)

    def bootstrap(self, **variables):
        return subprocess.run(
            [os.path.join(self.folder, "bootstrap"), "--help"], env={"PATH": "/usr/bin:/bin", **variables},
            capture_output=True, text=True, check=False)

    def test_is_a_worker(self):
        result = self.bootstrap()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("--concurrency", result.stdout)

    def test_is_a_runtime_on_lambda(self):
        result = self.bootstrap(AWS_LAMBDA_RUNTIME_API="127.0.0.1:9", AWS_REGION="us-east-1",
                                AWS_ACCESS_KEY_ID="id", AWS_SECRET_ACCESS_KEY="key")
        self.assertEqual(result.returncode, 1)
        self.assertIn("127.0.0.1:9", result.stderr)

    def test_needs_no_library_of_the_system(self):
        libraries = os.path.join(self.folder, "lib")
        (loader,) = [name for name in os.listdir(libraries) if name.startswith("ld-linux")]
        listed = subprocess.run(
            [os.path.join(libraries, loader), "--library-path", libraries, "--list",
             os.path.join(self.folder, "fulfil_worker")], capture_output=True, text=True, check=True).stdout
        found = re.findall(r"=> (\S+)", listed)
        self.assertTrue(found, listed)
        self.assertEqual([path for path in found if not path.startswith(libraries)], [])


if __name__ == "__main__":
    unittest.main()
