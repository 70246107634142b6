"""bonafide check: records, tables, order, threads, terminals."""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402

ESCAPE = "\x1b"


def faces():
    """A few photos: of one person, and one of several."""
    photos = sorted(program.SAMPLES.glob("person-*.jpg"))[:4] + sorted(program.SAMPLES.glob("sample*.jpg"))[:1]
    return photos or [program.hostile()[0] / "cartoon.png"]


class Records(program.WithModels):
    def validator(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("no python3-jsonschema")
        schema = json.loads((program.SOURCE / "api/record.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        return jsonschema.Draft202012Validator(schema)

    def assert_valid(self, validator, *arguments):
        done = program.run("check", "--jsonl", *arguments)
        records = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertTrue(records, done.stderr)
        for record in records:
            errors = [f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
                      for error in validator.iter_errors(record)]
            self.assertEqual(errors, [], record["request_id"])
        return records

    def test_records_of_bad_input_are_valid(self):
        self.assert_valid(self.validator(), program.hostile()[0], "missing.jpg")

    def test_records_of_photos_are_valid(self):
        validator = self.validator()
        self.sample("person-1.jpg")
        context = program.scratch() / "context.json"
        context.write_text('{"risk_tier": "high", "device_signals": ["emulator"], "document_confidence": 0.5, '
                           '"retry_count": 1, "previous_failures": 2}')
        reference = ["--reference", program.SAMPLES / "person-1.jpg"]
        for arguments in ([], ["--no-timing"], ["--geometry", "--full-evidence"], reference,
                          [*reference, "--match-always", "--mirror"],
                          ["--reference", program.hostile()[0] / "black.png"],
                          ["--flow", "video_kyc", "--channel", "kiosk", "--context", context]):
            self.assert_valid(validator, *arguments, *faces())

    def test_reasons_of_evidence_follow_from_the_contributions(self):
        words = {"passive-fr": "NETWORK", "silentface-v2": "NETWORK", "passive.texture": "TEXTURE",
                 "passive.context": "BORDER"}
        told = set()
        for record in self.assert_valid(self.validator(), *sorted(program.SAMPLES.glob("person-*.jpg"))):
            fused = [one for one in record["evidence"] if one["contribution"] is not None]
            against = sorted((one for one in fused if one["contribution"] <= -0.25),
                             key=lambda one: one["contribution"])
            expected = list(dict.fromkeys("EVIDENCE_" + words[one["detector"]] for one in against))[:3]
            judged = record["result"] and record["result"]["label"] != "live"
            codes = [code for code in record["decision"]["reason_codes"] if code.startswith("EVIDENCE_")]
            self.assertEqual(codes, expected if judged else [], record["request_id"])
            told.update(codes)
        self.assertTrue(told or not program.SAMPLES.joinpath("person-5.jpg").exists())
        line = program.run("check", self.sample("person-5.jpg")).stdout
        self.assertIn("; against: network\n", line)

    def test_the_schema_refuses_what_is_no_record(self):
        validator = self.validator()
        record = self.assert_valid(validator, self.sample("person-1.jpg"))[0]
        spoilt = ({"success": not record["success"]}, {"extra": 1}, {"status": "fine"},
                  {"decision": {**record["decision"], "decision": "yes"}},
                  {"versions": {**record["versions"], "policy": 1}})
        for change in spoilt:
            self.assertFalse(validator.is_valid({**record, **change}), change)

    def test_the_request_is_recorded(self):
        context = program.scratch() / "context.json"
        context.write_text('{"risk_tier": "medium", "device_signals": ["rooted"], "document_confidence": 0.25}')
        records, _ = self.records("--flow", "login_step_up", "--channel", "ios_app", "--context", context, "--mirror",
                                  "--full-evidence", "--match-always", program.hostile()[0] / "noise.png")
        self.assertEqual(records[0]["request"], {
            "flow": "login_step_up", "channel": "ios_app",
            "context": {"risk_tier": "medium", "device_signals": ["rooted"], "document_confidence": 0.25,
                        "retry_count": 0, "uncertain_count": 0, "previous_failures": 0},
            "full_evidence": True, "mirror": True, "match_order": "always", "kill_switch": False, "plan": None})

    def test_times_are_there_unless_left_out(self):
        photo = self.sample("person-4.jpg")
        timed = json.loads(program.run("check", "--json", photo).stdout)
        self.assertGreater(timed["latency_ms"], 0)
        self.assertGreater(timed["latency"]["decode"], 0)
        records, _ = self.records(photo)
        self.assertEqual((records[0]["latency_ms"], records[0]["latency"]), (None, {}))
        self.assertEqual({evidence["ms"] for evidence in records[0]["evidence"]}, {None})

    def test_json_and_jsonl_say_the_same(self):
        photo = program.hostile()[0] / "noise.png"
        pretty = program.run("check", "--json", "--no-timing", photo).stdout
        line = program.run("check", "--jsonl", "--no-timing", photo).stdout
        self.assertEqual(json.loads(pretty), json.loads(line))
        self.assertEqual((line.count("\n"), line[-1]), (1, "\n"))
        self.assertTrue(pretty.startswith('{\n  "success": false,\n  "status": "could_not_judge",\n'))

    def test_a_long_name_is_cut_in_the_request_id(self):
        folder = program.scratch() / ("x" * 60) / ("y" * 60)
        folder.mkdir(parents=True)
        (folder / "z.jpg").write_bytes(b"")
        records, _ = self.records(folder / "z.jpg")
        self.assertEqual(records[0]["request_id"], str(folder / "z.jpg")[-79:])


class Captures(program.WithModels):
    FRAMES = 5

    def folder(self, listing=None):
        """A folder with copies of a photo as frames."""
        folder = program.scratch() / "burst"
        folder.mkdir()
        photo = self.sample("person-1.jpg").read_bytes()
        for i in range(self.FRAMES):
            (folder / f"{i:04}.jpg").write_bytes(photo)
        if listing is not None:
            (folder / "capture.json").write_text(json.dumps(listing))
        return folder

    def listing(self, **more):
        return {"frames": [{"file": f"{i:04}.jpg", "ms": 100.5 * i} for i in range(self.FRAMES)], **more}

    def test_a_plain_folder_holds_photos_unless_frames_are_asked_for(self):
        folder = self.folder()
        records, _ = self.records(folder)
        self.assertEqual([record["capture"]["kind"] for record in records], ["still"] * self.FRAMES)
        for arguments, duration in ((["--frames"], 4000 / 15), (["--frames", "--fps", "10"], 400)):
            records, _ = self.records(*arguments, folder)
            self.assertEqual(len(records), 1)
            capture = records[0]["capture"]
            self.assertEqual((capture["kind"], capture["frames"]["coded"]), ("burst", self.FRAMES))
            self.assertAlmostEqual(capture["duration_ms"], duration, delta=0.1)

    def test_a_folder_with_a_listing_is_one_capture_wherever_it_lies(self):
        folder = self.folder(self.listing(client={"sdk": "test/1"}, shown=[{"what": "hold_still", "ms": 0}]))
        (folder / "other.jpg").write_bytes(b"not listed")
        for path in (folder, folder.parent):
            records, _ = self.records(path)
            self.assertEqual([record["capture"]["kind"] for record in records], ["burst"])
            self.assertAlmostEqual(records[0]["capture"]["duration_ms"], 402, delta=0.1)

    def test_a_capture_file_is_judged_as_the_folder_that_it_was_made_of(self):
        folder = self.folder(self.listing())
        photo = (folder / "0000.jpg").read_bytes()
        header = json.dumps({"frames": [{"bytes": len(photo), "ms": 100.5 * i} for i in range(self.FRAMES)]}).encode()
        file = program.scratch() / "attempt.capture"
        file.write_bytes(b"BFCAPT1\n" + len(header).to_bytes(4, "little") + header + photo * self.FRAMES)
        both = [self.records(path)[0][0] for path in (folder, file)]
        self.assertEqual(both[0]["result"], both[1]["result"])
        self.assertEqual(both[0]["capture"], both[1]["capture"])

    def test_broken_folders_say_what_is_wrong(self):
        for listing, code in (({}, "CORRUPT_IMAGE"), ({"frames": [{"file": "none.jpg", "ms": 0}]}, "IO_ERROR"),
                              ({"frames": [{"file": "../0000.jpg", "ms": 0}]}, "CORRUPT_IMAGE"),
                              ({"frames": [{"file": "0000.jpg", "ms": 9}, {"file": "0001.jpg", "ms": 8}]},
                               "CORRUPT_IMAGE"), (self.listing(nonce="short"), "CORRUPT_IMAGE")):
            records, exit_code = self.records(self.folder(listing))
            self.assertEqual((records[0]["error"]["code"], exit_code), (code, 65), listing)
        records, exit_code = self.records("--frames", program.scratch())
        self.assertEqual((records[0]["error"]["code"], exit_code), ("IO_ERROR", 65))

    def test_a_plan_is_read(self):
        folder = self.folder(self.listing())
        plan = program.scratch() / "plan.json"
        plan.write_text("{}")
        done = program.run("check", "--plan", plan, folder)
        self.assertEqual((done.returncode, done.stdout), (64, ""), done.stderr)
        done = program.run("check", "--plan", "missing.json", folder)
        self.assertEqual(done.returncode, 65)

    def test_a_folder_is_replayed_at_the_rate_it_was_judged_at(self):
        folder = self.folder()
        record = program.scratch() / "record.json"
        judged = program.run("check", "--json", "--frames", "--fps", "10", folder)
        record.write_text(judged.stdout)
        replayed = program.run("replay", record, "--media", folder, "--fps", "10")
        self.assertEqual((replayed.returncode, replayed.stdout[:24]), (0, "Reproduced bit for bit: "))
        self.assertEqual(program.run("replay", record, "--media", folder).returncode, 65)

    def test_fps_needs_frames(self):
        done = program.run("check", "--fps", "5", "x")
        self.assertEqual((done.returncode, done.stderr.splitlines()[0]),
                         (64, "bonafide check: --fps goes with --frames."))


class Matching(program.WithModels):
    def test_a_match_never_changes_liveness(self):
        photo, same, other = (self.sample(name) for name in ("person-4.jpg", "person-4.jpg", "person-2.jpg"))
        plain = self.records("--full-evidence", photo)[0][0]
        for reference in (same, other):
            record = self.records("--full-evidence", "--reference", reference, photo)[0][0]
            self.assertEqual(record["evidence"], plain["evidence"])
            self.assertEqual(record["result"], plain["result"])

    def test_both_orders_decide_alike(self):
        self.sample("person-1.jpg")
        for reference in ("person-1.jpg", "person-4.jpg"):
            arguments = ["--reference", program.SAMPLES / reference, *faces()]
            first, first_code = self.records(*arguments)
            second, second_code = self.records("--match-always", *arguments)
            self.assertEqual([record["decision"] for record in first], [record["decision"] for record in second])
            self.assertEqual(first_code, second_code)

    def test_the_table_has_a_column_for_the_match(self):
        photo = self.sample("person-4.jpg")
        text = program.run("check", "--match-always", "--reference", photo, photo).stdout
        self.assertRegex(text, r"strong 1\.00")


class Order(program.WithModels):
    def test_threads_change_nothing(self):
        folder, _ = program.hostile()
        inputs = [*faces(), folder, "missing.jpg", *faces()[:3]]
        for form in (["--jsonl"], ["--json"], []):
            one = program.run("check", "--no-timing", *form, "--jobs", "1", *inputs)
            for jobs in ("2", "7"):
                several = program.run("check", "--no-timing", *form, "--jobs", jobs, *inputs)
                self.assertEqual((several.returncode, several.stdout), (one.returncode, one.stdout))

    def test_results_stand_in_the_order_given(self):
        folder, _ = program.hostile()
        names = ["white.png", "empty.jpg", "noise.png", "empty.jpg", "black.png"] * 20
        records, _ = self.records("--jobs", "3", *names, cwd=folder)
        self.assertEqual([record["request_id"] for record in records], names)

    def test_the_largest_code_counts(self):
        folder, _ = program.hostile()
        self.assertEqual(program.run("check", "noise.png", "empty.jpg", "black.png", cwd=folder).returncode, 65)


class Inputs(program.WithModels):
    def test_folders_are_walked(self):
        folder = program.scratch()
        for name in ("b.JPG", "a.png", "sub/c.webp", "sub/deeper/d.heic", "sub/e.heif", "z.jpeg", ".hidden.jpg",
                     ".git/f.jpg", "notes.txt", "jpg", "sub/x.jpg.bak"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"")
        (folder / "sub/circle").symlink_to(folder)
        (folder / "linked.jpg").symlink_to(folder / "a.png")
        records, code = self.records(".", cwd=folder)
        self.assertEqual(code, 65)
        self.assertEqual([record["request_id"] for record in records],
                         ["./a.png", "./b.JPG", "./linked.jpg", "./sub/c.webp", "./sub/deeper/d.heic", "./sub/e.heif",
                          "./z.jpeg"])

    def test_folders_have_a_greatest_depth(self):
        folder = program.scratch()
        deep = folder / "/".join(["d"] * 40)
        deep.mkdir(parents=True)
        done = program.run("check", folder)
        self.assertEqual(done.returncode, 65)
        self.assertIn("lies more than 32 folders deep", done.stderr)

    def test_standard_input(self):
        content = (program.hostile()[0] / "noise.png").read_bytes()
        done = program.run("check", "-", stdin=content)
        self.assertEqual((done.returncode, done.stdout),
                         (10, b"-         not judged      -  retry      no face: show face\n"))
        self.assertEqual(program.run("check", "-", stdin=b"").returncode, 65)

    def test_names_of_every_kind(self):
        folder = os.fsencode(program.scratch())
        names = {"ärger 顔.jpg": "ärger 顔.jpg", "a\x1b[31mb.jpg": "a?[31mb.jpg", "new\nline.jpg": "new?line.jpg",
                 b"bad\xff.jpg": "bad?.jpg", "\u202egpj.exe.jpg": "?gpj.exe.jpg"}
        for name, shown in names.items():
            path = os.path.join(folder, os.fsencode(name))
            with open(path, "wb"):
                pass
            done = program.run("check", os.fsdecode(os.fsencode(name)), cwd=folder)
            self.assertEqual(done.returncode, 65)
            self.assertTrue(done.stdout.startswith(f"{shown} "), ascii(done.stdout))
            self.assertEqual(done.stdout.count("\n"), 1)
            records, _ = self.records(os.fsdecode(os.fsencode(name)), cwd=folder)
            self.assertEqual(records[0]["error"]["code"], "EMPTY_INPUT")


class Terminal(program.WithModels):
    def test_a_pipe_gets_no_escapes(self):
        folder, _ = program.hostile()
        for env in ({}, {"TERM": "xterm"}, {"TERM": "xterm", "NO_COLOR": ""}):
            done = program.run("check", folder, env=env)
            self.assertNotIn(ESCAPE, done.stdout + done.stderr)

    def test_a_terminal_gets_colours_unless_it_must_not(self):
        folder, _ = program.hostile()
        code, text = program.run_on_terminal("check", "noise.png", cwd=folder)
        self.assertEqual(code, 10)
        self.assertIn(f"{ESCAPE}[33mnot judged{ESCAPE}[0m", text)
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
            self.assertNotIn(ESCAPE, program.run_on_terminal("check", "noise.png", cwd=folder, env=env)[1])

    def test_lines_fit_the_terminal(self):
        folder = program.scratch()
        name = "a-rather-long-name-of-a-photo-that-somebody-took-on-a-sunday.png"
        (folder / name).write_bytes((program.hostile()[0] / "noise.png").read_bytes())
        for columns in (80, 100, 200):
            _, text = program.run_on_terminal("check", name, name, cwd=folder, columns=columns, env={"NO_COLOR": "1"})
            self.assertLessEqual(max(map(len, text.splitlines())), columns)
            self.assertIn(".png ", text)

    def test_long_work_shows_its_progress(self):
        folder, _ = program.hostile()
        work = ["noise.png"] * 400
        _, text = program.run_on_terminal("check", "-j1", *work, cwd=folder, env={"NO_COLOR": "1"})
        self.assertRegex(text, r"\r\[#* *\] \d+/400, \d+ s left\x1b\[K\r\x1b\[K")
        self.assertTrue(text.splitlines()[-1].startswith("400 files: 400 retry, "), text[-200:])
        _, text = program.run_on_terminal("check", *work[:3], cwd=folder, env={"NO_COLOR": "1"})
        self.assertNotIn(ESCAPE, text)


tap.main()
